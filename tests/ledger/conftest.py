"""Cases of a real database that officers move, and what their ledger says."""

from tests.casework.conftest import house

__all__ = ["house"]
