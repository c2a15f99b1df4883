"""Rule tests: the cases that stand beside the rules, run through the real engine; how far they reach; what they would not notice.

report = run(engine, files)        # passed, failed, coverage
print(text(report))                # also junit(report), as_json(report)
"""

from service.ruletest.output import as_json, junit, percent, text
from service.ruletest.report import Coverage, Report, Result, RuleReach, run
from service.ruletest.trial import Fault, Sample

__all__ = ["Coverage", "Fault", "Report", "Result", "RuleReach", "Sample", "as_json", "junit", "percent", "run", "text"]
