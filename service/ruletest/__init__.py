"""Rule tests: the cases that stand beside the rules, run through the real engine; how far they reach; what they would not notice.

report = run(engine, files)
print(text(report))                            # also junit(report), as_json(report)
print(mutation_text(mutate(engine)))   # also mutation_json(...)
"""

from service.ruletest.cases import case_line
from service.ruletest.mutants import Fate, Mutant, Mutation, mutate
from service.ruletest.output import as_json, junit, mutation_json, mutation_text, percent, text
from service.ruletest.report import Coverage, Report, Result, RuleReach, run
from service.ruletest.trial import Fault, Sample

__all__ = [
    "Coverage",
    "Fate",
    "Fault",
    "Mutant",
    "Mutation",
    "Report",
    "Result",
    "RuleReach",
    "Sample",
    "as_json",
    "case_line",
    "junit",
    "mutate",
    "mutation_json",
    "mutation_text",
    "percent",
    "run",
    "text",
]
