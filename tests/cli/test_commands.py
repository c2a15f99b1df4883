"""Every command is found where the command line says it stands, and only what a command needs is loaded for it."""

import subprocess
import sys

import pytest
import typer

from service import cli, usage
from service.commands import rules

HEAVY = ("fastapi", "sqlalchemy", "alembic", "httpx", "uvicorn", "jieba")


@pytest.mark.parametrize("places", [cli.COMMANDS, rules.LATER])
def test_no_command_is_left_out_and_each_is_told_in_its_own_words(places: usage.Places) -> None:
    for place in {place for place, _ in places.values()}:
        module, _, name = place.partition(":")
        group = typer.main.get_group(getattr(usage.brought(module), name))
        stands = group.commands
        told = {command: what for command, (where, what) in places.items() if where == place}
        assert set(told) == set(stands) or set(told).isdisjoint(stands), place
        for command, what in told.items():
            begins = what.removesuffix("。").removesuffix("，更对还是更错")
            assert str(stands.get(command, group).help).startswith(begins), command


@pytest.mark.parametrize("words", [["triage", "孩子学舞蹈，机构不退费"], ["rules", "check"], ["--help"], ["rules", "--help"]])
def test_the_web_and_the_database_are_loaded_only_where_they_are_needed(words: list[str]) -> None:
    run = f"import sys; from service.cli import _run; _run({words!r}); print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True)
    assert told.stdout.splitlines()[-1] == "[]"
