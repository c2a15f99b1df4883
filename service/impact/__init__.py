"""Impact: past cases under the rules in force and under a draft. No database is needed: cases come from whoever has them.

found = run(of_lines(file), (before, after), fork=True)
print(as_text(found, after.ruleset))           # also as_json(found)
"""

from service.impact.findings import MOST, as_json, as_text
from service.impact.measure import SHOWN, Flip, Impact, Pair, look, of_cases, of_lines, run
from service.impact.past import Truth, recall, truth_of

__all__ = [
    "MOST",
    "SHOWN",
    "Flip",
    "Impact",
    "Pair",
    "Truth",
    "as_json",
    "as_text",
    "look",
    "of_cases",
    "of_lines",
    "recall",
    "run",
    "truth_of",
]
