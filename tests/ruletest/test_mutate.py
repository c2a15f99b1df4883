"""Mutants: what the cases would not miss. The quick way must agree with the honest one, a new engine for every mutant."""

import pytest

from models.ruleset import Near, Rule, RuleSet, Status, Strength
from service import ruletest
from service.engine import Engine
from service.rulebook import load
from service.ruletest import Fate, Mutant, Mutation
from tests.packs.build import edited, tiny


def mutated(files: dict[str, str]) -> Mutation:
    return ruletest.mutate(Engine(load(files)))


@pytest.fixture(scope="module")
def mutation() -> Mutation:
    return mutated(tiny())


def fate(mutation: Mutation, part: str, where: str, word: str) -> Fate:
    (found,) = [mutant for mutant in mutation.mutants if (mutant.part, mutant.where, mutant.word) == (part, where, word)]
    return found.fate


class TestFates:
    def test_a_term_that_a_case_needs_is_noticed(self, mutation: Mutation) -> None:
        assert fate(mutation, "terms", "signal.child", "孩子") is Fate.NOTICED

    def test_a_program_takes_its_share_of_the_lists_with_it(self, mutation: Mutation) -> None:
        assert fate(mutation, "terms", "ball.programs", "网球") is Fate.NOTICED

    def test_a_term_that_is_met_but_not_needed_goes_unnoticed(self, mutation: Mutation) -> None:
        assert fate(mutation, "terms", "signal.child", "小朋友") is Fate.UNNOTICED

    def test_a_term_that_no_case_meets_is_unreached(self, mutation: Mutation) -> None:
        assert fate(mutation, "terms", "letters.programs", "算术") is Fate.UNREACHED
        assert fate(mutation, "unless", "ball.programs", "水果篮球状") is Fate.UNREACHED

    def test_a_list_member_is_a_word_too(self, mutation: Mutation) -> None:
        assert fate(mutation, "list", "taught", "班") is Fate.NOTICED
        assert fate(mutation, "list", "taught", "课") is Fate.UNREACHED

    def test_strengths_and_conditions_are_taken_away_too(self, mutation: Mutation) -> None:
        assert fate(mutation, "strength", "scope.training", "strong → medium") is Fate.UNNOTICED
        assert fate(mutation, "strength", "scope.adult", "strong → medium") is Fate.NOTICED
        assert fate(mutation, "needs", "ball.taught", "signal:child") is Fate.UNNOTICED
        assert fate(mutation, "near", "stage.trained", "（整个 near）") is Fate.UNREACHED

    def test_a_term_that_another_one_brings_as_well_is_redundant(self) -> None:
        found = mutated(edited("scope.yaml", "terms: [校外培训,", "terms: [校外培训, 篮球班,"))
        assert fate(found, "terms", "scope.training", "篮球班") is Fate.REDUNDANT

    def test_an_exclusion_is_noticed_by_a_near_miss(self) -> None:
        files = tiny()
        files["scope.test.yaml"] += "  - text: 广场舞蹈扰民\n    not: [stage.programs]\n"
        assert fate(mutated(files), "unless", "stage.programs", "广场舞蹈") is Fate.NOTICED

    def test_cases_that_fail_already_take_no_part(self) -> None:
        found = mutated(edited("scope.test.yaml", "decision: return", "decision: dispatch"))
        assert found.failing == 1
        assert "有 1 个用例现在就不通过，没有参加。" in ruletest.mutation_text(found)

    def test_each_is_told_to_the_progress_bar(self, mutation: Mutation) -> None:
        calls: list[int] = []
        ruletest.mutate(Engine(load(tiny())), lambda: calls.append(1))
        assert len(calls) == len(mutation.mutants)


class TestOutput:
    def test_names_what_cases_meet_and_do_not_miss(self, mutation: Mutation) -> None:
        said = ruletest.mutation_text(mutation)
        assert "用例碰到了，拿掉却没有用例察觉：\n" in said
        assert "    signal.child 的 terms：小朋友\n" in said
        assert "算术" not in said
        assert "    letters.programs 的 terms：算术、作文、奥数\n" in ruletest.mutation_text(mutation, unreached=True)

    def test_counts_for_programs(self, mutation: Mutation) -> None:
        found = ruletest.mutation_json(mutation)
        assert found["mutants"] == sum(found[each.value] for each in Fate) == len(mutation.mutants)
        assert all(survivor["fate"] != "noticed" for survivor in found["survivors"])


def test_agrees_with_a_new_engine_for_every_mutant(mutation: Mutation) -> None:
    ruleset = load(tiny())
    for mutant in mutation.mutants:
        changed = without(ruleset, mutant)
        report = ruletest.run(Engine(changed))
        assert report.passed == (mutant.fate is not Fate.NOTICED), mutant


def without(ruleset: RuleSet, mutant: Mutant) -> RuleSet:
    """The rule set from which a mutant was truly taken away."""
    if mutant.part == "list":
        members = tuple(word for word in ruleset.lists[mutant.where] if word != mutant.word)
        return ruleset.model_copy(update={"lists": {**ruleset.lists, mutant.where: members}})
    rules = tuple(_less(rule, mutant) if rule.id == mutant.where else rule for rule in ruleset.rules)
    return ruleset.model_copy(update={"rules": rules})


def _less(rule: Rule, mutant: Mutant) -> Rule:
    match mutant.part:
        case "terms" | "unless":
            change: dict[str, object] = {mutant.part: tuple(word for word in getattr(rule, mutant.part) if word != mutant.word)}
        case "strength":
            weaker = mutant.word.split(" → ")[1]
            change = {"status": Status.TRIAL} if weaker == "trial" else {"strength": Strength(weaker)}
        case "near" if rule.near and mutant.word in rule.near.words:
            words = tuple(word for word in rule.near.words if word != mutant.word)
            change = {"near": Near.model_construct(words=words, within=rule.near.within)}
        case part:
            change = {part: None if part == "near" else ()}
    return rule.model_copy(update=change)
