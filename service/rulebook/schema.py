"""The JSON schema of all files of a pack, generated from the models, so that editors complete and check while one types."""

from typing import Any

from pydantic.json_schema import models_json_schema

from service.rulebook.layout import LAYOUT


def schema() -> dict[str, Any]:
    """One schema for every kind of file: an editor names `rules/schema.json` and the file's keys decide which shape is meant."""
    models = list(dict.fromkeys(kind.model for kind in LAYOUT))
    refs, definitions = models_json_schema([(model, "validation") for model in models], title="fenpai 规则包")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definitions["title"],
        "description": "规则包里的 YAML 文件。由 fenpai rules schema 生成，请勿手改。",
        "anyOf": [refs[(model, "validation")] for model in models],
        "$defs": definitions["$defs"],
    }
