"""The prover: what is wrong with a rule set that no single file shows, each claim with a sentence that proves it in the real engine.

proof = prove(engine)
print(text(proof))                 # also as_json(proof)
print(cases(proof))                # the witnesses as a file of test cases
"""

from collections.abc import Callable
from time import perf_counter

from service.engine import Engine
from service.prover.conflicts import split_phrases, ties
from service.prover.findings import FAULTS, Finding, Kind, Proof, Witness
from service.prover.output import CASES, as_json, cases, text
from service.prover.reach import explore, unreached, weak_categories
from service.prover.rules import dead_rules, idle_conditions, idle_rules
from service.prover.sentences import STEPS, Stage
from service.prover.terms import dead_terms, lost_programs
from service.ruletest.bench import Bench

__all__ = ["CASES", "FAULTS", "Finding", "Kind", "Proof", "Witness", "as_json", "cases", "prove", "steps", "text"]


def steps(engine: Engine) -> int:
    """How many steps the proof of these rules takes."""
    return sum(STEPS.values()) * len(engine.plan.rules)


def prove(engine: Engine, told: Callable[[int], None] = lambda _: None) -> Proof:
    """Compose sentences from the rules' own words, play them to the engine, and tell what they show.

    `told` hears how many steps more are gone, at every sentence; what it raises ends the proof.
    """
    started = perf_counter()
    stage, bench = Stage(engine, told), Bench(engine)
    explore(stage)
    findings = [
        *dead_rules(stage, bench),
        *dead_terms(stage, bench),
        *lost_programs(stage),
        *split_phrases(stage),
        *ties(stage),
        *idle_rules(stage, bench),
        *idle_conditions(stage, bench),
        *weak_categories(stage),
        *unreached(stage),
    ]
    order = list(Kind)
    findings.sort(key=lambda finding: (order.index(finding.kind), finding.where, finding.word))
    return Proof(engine.ruleset, tuple(findings), stage.played, perf_counter() - started)
