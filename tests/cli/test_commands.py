"""Every command is found where the command line says it stands, and only what a command needs is loaded for it."""

import subprocess
import sys

import pytest
import typer

from service import cli, usage
from service.commands import rules

HEAVY = ("fastapi", "sqlalchemy", "alembic", "httpx", "uvicorn", "jieba")


@pytest.mark.parametrize("places", [cli.COMMANDS, rules.LATER])
def test_no_command_is_left_out(places: dict[str, str]) -> None:
    for place in set(places.values()):
        module, _, name = place.partition(":")
        stands = typer.main.get_group(getattr(usage.brought(module), name)).commands
        told = {command for command, where in places.items() if where == place}
        assert told == set(stands) or told.isdisjoint(stands), place


@pytest.mark.parametrize("words", [["triage", "孩子学舞蹈，机构不退费"], ["rules", "check"]])
def test_the_web_and_the_database_are_loaded_only_where_they_are_needed(words: list[str]) -> None:
    run = f"import sys; from service.cli import _run; _run({words!r}); print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True)
    assert told.stdout.splitlines()[-1] == "[]"
