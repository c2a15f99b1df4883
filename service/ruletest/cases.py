"""A case written out: one line of YAML, as it stands in a file of cases."""

import json

from models.ruleset import Expectation

KEYS = (
    "institution",
    "title",
    "text",
    "each",
    "decision",
    "reason_code",
    "lead",
    "category",
    "categories",
    "issues",
    "hits",
    "not_hits",
    "why",
)


def case_line(case: Expectation) -> str:
    """A case on one line of YAML. Texts are quoted as in JSON, which YAML reads the same."""
    return "{" + ", ".join(f"{'not' if key == 'not_hits' else key}: {_yaml(value)}" for key in KEYS if (value := getattr(case, key))) + "}"


def _yaml(value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(value) + "]"
    return value if value.replace("_", "").isascii() and value.replace("_", "").isalpha() else json.dumps(value, ensure_ascii=False)
