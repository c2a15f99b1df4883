"""Repair: from cases that went wrong, the smallest edits that mend most of them and break none that is right.

mended = repair(files, read([wrong], ruleset), read([confirmed], ruleset))
print(text(mended))                # also as_json(mended), diff(mended); mended.after holds the files
"""

from service.repair.lessons import Lessons, from_ledger, still_broken
from service.repair.output import as_json, diff, text
from service.repair.proposal import Repair, Step, repair
from service.repair.wishes import LABELS, case_of, read

__all__ = ["LABELS", "Lessons", "Repair", "Step", "as_json", "case_of", "diff", "from_ledger", "read", "repair", "still_broken", "text"]
