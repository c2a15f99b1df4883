"""The register (名录): which institutions hold a licence, for what, and whether it still stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """机构: one row of the register. `category` and `department` are codes of the rule set, None where the licence does not say."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    category: str | None = None
    department: str | None = None
    licence: str = ""
    address: str = ""
    street: str = ""
    status: str = ""
