"""rules/schema.json is the models', and editors that follow it accept every sound file."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema_rs import validator_for

from service.rulebook import find_pack, schema
from tests.packs.build import HERE

RULES = Path(__file__).parents[2] / "rules"
FILES = [path for folder in (HERE / "tiny", find_pack("beichen")) for path in sorted(folder.rglob("*.yaml"))]


class Editor(yaml.SafeLoader):
    """YAML as editors read it for a schema: numbers are numbers, dates stay text."""


Editor.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith(":timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_committed_schema_is_the_one_the_models_make() -> None:
    """After a change of the models: `fenpai rules schema > rules/schema.json`."""
    assert json.loads((RULES / "schema.json").read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_sound_file_follows_it(path: Path) -> None:
    tree = yaml.load(path.read_text(encoding="utf-8"), Loader=Editor)  # noqa: TID251, S506 - safe, and an editor's view is wanted here
    validator_for(schema()).validate(tree)
