"""The register (名录): brought in from CSV and Excel, exported, and in force beside the rule set."""

from service.register.counter import Counter, from_file, opened
from service.register.errors import InstitutionNotFound, RegisterInvalid, RegisterUnreadable
from service.register.export import as_csv
from service.register.imports import Wanted, prepare, read_file, report, write
from service.register.live import ActiveRegister

__all__ = [
    "ActiveRegister",
    "Counter",
    "InstitutionNotFound",
    "RegisterInvalid",
    "RegisterUnreadable",
    "Wanted",
    "as_csv",
    "from_file",
    "opened",
    "prepare",
    "read_file",
    "report",
    "write",
]
