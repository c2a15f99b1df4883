"""The report of a test run: each case passed or not and why, and which rules and terms the cases reach."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from models.decision import Decision
from models.ruleset import RuleSet
from service.engine import Engine
from service.rulebook import case_lines
from service.ruletest.bench import Bench, Ready
from service.ruletest.origins import origins
from service.ruletest.reasons import why_not
from service.ruletest.trial import Fault, Sample, faults


@dataclass(frozen=True, slots=True)
class Result:
    """One case, tried: passed where `faults` is empty."""

    sample: Sample
    decision: Decision
    faults: tuple[Fault, ...]

    @property
    def passed(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class RuleReach:
    """How far the cases reach one rule: how many cases meet it, how many name it as not to be met, which of its terms nobody meets."""

    rule: str
    cases: int
    near_misses: int
    terms: int
    unreached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which rules and terms the cases reach. A term with `{list}` places counts as one."""

    rules: tuple[RuleReach, ...]

    @property
    def rules_reached(self) -> int:
        return sum(1 for rule in self.rules if rule.cases)

    @property
    def terms(self) -> int:
        return sum(rule.terms for rule in self.rules)

    @property
    def terms_reached(self) -> int:
        return sum(rule.terms - len(rule.unreached) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Report:
    """A test run over all cases of a rule set."""

    ruleset: RuleSet
    results: tuple[Result, ...]
    coverage: Coverage
    seconds: float

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if not result.passed)

    @property
    def passed(self) -> bool:
        return not self.failed


def run(engine: Engine, files: Mapping[str, str] | None = None) -> Report:
    """Try every case of the engine's rule set. With the pack's `files`, failures carry their line."""
    started = perf_counter()
    bench = Bench(engine)
    tried = [bench.ready(sample) for sample in samples(engine.ruleset, files)]
    results = tuple(_result(bench, ready) for ready in tried)
    return Report(engine.ruleset, results, _coverage(bench, tried), perf_counter() - started)


def samples(ruleset: RuleSet, files: Mapping[str, str] | None = None) -> list[Sample]:
    """Every case of a rule set, file by file; of a table, one for each of its words."""
    lines = case_lines(files or {})
    return [
        Sample(file, number, lines[file][number - 1] if number <= len(lines.get(file, ())) else 0, case)
        for file, cases in sorted(ruleset.cases.items())
        for number, written in enumerate(cases, 1)
        for case in written.written_out()
    ]


def _result(bench: Bench, ready: Ready) -> Result:
    found = faults(ready.sample.case, ready.came)
    return Result(ready.sample, ready.decision, tuple(_explained(bench, ready, fault) for fault in found))


def _explained(bench: Bench, ready: Ready, fault: Fault) -> Fault:
    if fault.key == "hits":
        return replace(fault, why=why_not(bench, ready, fault.expected[0]))
    if fault.key == "not":
        words = sorted({bench.plan.patterns[hit.pattern] for hit in ready.hits if hit.rule.id == fault.got[0]})
        return replace(fault, why=f"因为文字里有「{'」「'.join(words[:3])}」")
    return fault


def _coverage(bench: Bench, tried: Iterable[Ready]) -> Coverage:
    reached: dict[str, set[str]] = defaultdict(set)
    cases: dict[str, int] = defaultdict(int)
    misses: dict[str, int] = defaultdict(int)
    for ready in tried:
        hits = ready.hits
        for hit in hits:
            reached[hit.rule.id].add(bench.plan.patterns[hit.pattern])
        for rule in {hit.rule.id for hit in hits}:
            cases[rule] += 1
        for rule in ready.sample.case.not_hits:
            misses[rule] += 1
    live = [rule for rule in bench.ruleset.rules if rule.id in bench.orders]
    written: dict[str, dict[str, bool]] = {rule.id: dict.fromkeys(rule.terms, False) for rule in live}
    for origin in origins(bench.ruleset, bench.plan.reader.fold):
        if origin.role == "terms" and origin.pattern in reached[origin.rule]:
            written[origin.rule][origin.word] = True
    return Coverage(
        tuple(
            RuleReach(rule, cases[rule], misses[rule], len(terms), tuple(term for term, met in terms.items() if not met))
            for rule, terms in sorted(written.items())
        )
    )
