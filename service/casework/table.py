"""The table of moves in words: a section of CONTRIBUTING.md, and the descriptions in the API's document."""

from collections.abc import Iterable

from models.case import Status
from models.moves import MOVES, ROLE_NAMES, STATUS_NAMES, Row, Stay

HEAD = ("动作", "名称", "从", "到", "谁可以", "须写明", "条件", "写下")


def markdown() -> str:
    """The whole table, as it stands in CONTRIBUTING.md."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_cells(row) for row in MOVES.values())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"


def description(row: Row) -> str:
    """What the API's document says of one move."""
    lines = [
        f"**从** {_origins(row)} **到** {_target(row)}。**谁可以**：{_who(row)}。",
        f"**条件**：{_listed((guard.value for guard in row.guards), '；')}。" if row.guards else "",
        f"**写下**：{_listed((effect.value for effect in row.effects), '；')}。" if row.effects else "",
        f"事件 `{row.event}`；版本加一。",
    ]
    return "\n\n".join(line for line in lines if line)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"`{row.move}`",
        row.name,
        _origins(row),
        _target(row),
        _who(row),
        _listed((f"`{name}`" for name, field in row.body.model_fields.items() if field.is_required()), "、"),
        _listed((guard.value for guard in row.guards), "；"),
        _listed((effect.value for effect in row.effects), "；"),
    )


def _origins(row: Row) -> str:
    return _listed((STATUS_NAMES[status] for status in row.origins), "、")


def _target(row: Row) -> str:
    return row.target.value if isinstance(row.target, Stay) else STATUS_NAMES[Status(row.target)]


def _who(row: Row) -> str:
    return _listed((ROLE_NAMES[role] for role in row.who), "、")


def _listed(words: Iterable[str], joint: str) -> str:
    return joint.join(words) or "—"
