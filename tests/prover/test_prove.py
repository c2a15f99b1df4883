"""The prover: every kind of finding in a pack made for it, each with a sentence that shows it in the real engine."""

from pathlib import Path

import pytest

from models.ruleset import Expectation
from service import prover, ruletest
from service.engine import Engine
from service.prover import Finding, Kind, Proof
from service.rulebook import find_pack, load, read_folder
from service.rulebook.borders import NATURAL
from tests.packs.build import edited, tiny

pytestmark = pytest.mark.timeout(300)  # 20,000 sentences: 6 s alone, more on a machine that others use too


def proved(files: dict[str, str]) -> Proof:
    return prover.prove(Engine(load(files)))


def the(kind: Kind, where: str, files: dict[str, str]) -> Finding:
    (found,) = [finding for finding in proved(files).findings if (finding.kind, finding.where) == (kind, where)]
    return found


def with_rule(rule: str, file: str = "categories/stage.yaml") -> dict[str, str]:
    files = tiny()
    return files | {file: files[file] + rule}


@pytest.fixture(scope="module")
def proof() -> Proof:
    return proved(tiny())


@pytest.fixture(scope="module")
def shipped() -> Proof:
    return proved(read_folder(find_pack("beichen")))


class TestDeadRules:
    def test_a_rule_that_its_own_exclusions_cancel_whole(self) -> None:
        near = "near: {words: [课, 班], within: 6}"
        files = edited("categories/stage.yaml", near, "unless: [形体课, 课形体]\n    near: {words: [课], within: 0}")
        found = the(Kind.CANCELLED_RULE, "stage.trained", files)
        assert found.is_fault
        assert found.witness is not None
        assert "stage.trained" not in found.witness.fired
        assert "形体" in found.witness.complaint.content

    def test_a_frame_that_can_never_be_met(self) -> None:
        found = the(Kind.DEAD_NEAR, "stage.trained", edited("categories/stage.yaml", "words: [课, 班]", "words: [兰球]"))
        assert "near 永远不满足" in found.said

    def test_needs_that_nothing_can_meet(self) -> None:
        files = edited("categories/stage.yaml", "words: [课, 班]", "words: [兰球]")
        rule = "  - {id: stage.late, name: 晚, category: stage, terms: [晚场], needs: [stage.trained]}\n"
        found = the(Kind.DEAD_NEEDS, "stage.late", files | {"categories/stage.yaml": files["categories/stage.yaml"] + rule})
        assert "stage.trained" in found.said

    def test_a_rule_that_what_it_needs_blocks(self) -> None:
        rule = "  - {id: stage.ring, name: 环, category: stage, terms: [晚场], needs: [signal:child], blocked_by: [signal.child]}\n"
        found = the(Kind.DEAD_BLOCK, "stage.ring", with_rule(rule))
        assert "signal.child" in found.said

    def test_sound_rules_are_not_called_dead(self, proof: Proof, shipped: Proof) -> None:
        assert proof.faults == ()
        assert shipped.faults == ()


class TestTerms:
    def test_a_term_that_an_exclusion_in_a_list_always_cancels(self) -> None:
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球, 足球, 网球, 水果篮球状物]")
        found = the(Kind.DEAD_TERM, "ball.programs", files)
        assert found.word == "水果篮球状物"
        assert found.witness is not None
        assert "水果篮球状物" in found.witness.complaint.content

    def test_a_term_that_an_alias_replaces(self) -> None:
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: [篮球, 足球, 网球, 花式兰球]")
        assert the(Kind.DEAD_TERM, "ball.programs", files).word == "花式兰球"

    def test_a_term_that_longer_words_of_the_pack_eat_wherever_it_stands(self) -> None:
        files = with_rule("  - {id: stage.odd, name: 晚, category: stage, terms: [晚场, 早场]}\n")
        files["words.txt"] += "\n".join(frame.format("晚场") for frame in NATURAL) + "\n"
        found = the(Kind.BORDER_TERM, "stage.odd", files)
        assert found.word == "晚场"
        assert "孩子学晚场" in found.tried

    def test_a_program_that_a_longer_word_has_eaten(self, shipped: Proof) -> None:
        lost = {finding.word: finding for finding in shipped.findings if finding.kind is Kind.LOST}
        for word, finding in lost.items():
            assert finding.witness is not None
            assert word in finding.witness.complaint.content
            assert finding.where.split(".")[0] not in {category.code for category in finding.witness.decision.categories}

    def test_a_program_that_callers_name_plainly_and_that_goes_back(self, proof: Proof) -> None:
        found = [finding for finding in proof.findings if finding.kind is Kind.LOST and finding.word == "篮球"]
        assert "退回热线" in found[0].said


class TestConflicts:
    def test_one_term_in_two_categories_of_different_departments(self) -> None:
        files = edited("categories/stage.yaml", "terms: [舞蹈, 戏剧]", "terms: [舞蹈, 戏剧, 网球]")
        found = {(finding.kind, finding.word) for finding in proved(files).findings}
        assert (Kind.CONFLICT, "网球") in found

    def test_two_categories_of_equal_rank(self, proof: Proof) -> None:
        (found,) = [finding for finding in proof.findings if finding.kind is Kind.TIE]
        assert found.where == "ball stage"
        assert found.witness is not None
        assert found.witness.decision.category is None


class TestIdle:
    def test_a_rule_that_others_always_outweigh(self) -> None:
        rule = "  - {id: scope.again, name: 再次, scope: adult, terms: [退休职工], strength: weak}\n"
        found = the(Kind.IDLE_RULE, "scope.again", with_rule(rule, "scope.yaml"))
        assert "scope.adult" in found.said
        assert "句" in found.tried

    def test_a_frame_word_beside_which_nothing_counts(self) -> None:
        found = the(Kind.IDLE_NEAR, "stage.trained", edited("categories/stage.yaml", "words: [课, 班]", "words: [课, 班, 兰球]"))
        assert found.word == "兰球"

    def test_a_need_that_nothing_answers_to(self) -> None:
        files = edited("categories/ball.yaml", "needs: [signal:child]", "needs: [signal:child, signal.quiet]")
        rule = "  - {id: signal.quiet, name: 静, signal: quiet, terms: [静静], status: retired}\n"
        found = the(Kind.IDLE_NEED, "ball.taught", files | {"signals.yaml": files["signals.yaml"] + rule})
        assert found.word == "signal.quiet"

    def test_a_block_that_nothing_answers_to(self) -> None:
        files = edited("categories/ball.yaml", "needs: [signal:child]", "blocked_by: [signal.quiet]")
        rule = "  - {id: signal.quiet, name: 静, signal: quiet, terms: [静静], status: retired}\n"
        found = the(Kind.IDLE_BLOCK, "ball.taught", files | {"signals.yaml": files["signals.yaml"] + rule})
        assert found.word == "signal.quiet"

    def test_an_exclusion_that_the_borders_of_tokens_make_needless(self, proof: Proof) -> None:
        assert {(finding.where, finding.word) for finding in proof.findings if finding.kind is Kind.IDLE_UNLESS} == {
            ("ball.programs", "水果篮球状")
        }


class TestReach:
    def test_categories_without_a_strong_rule(self, proof: Proof) -> None:
        assert {finding.where for finding in proof.findings if finding.kind is Kind.NO_STRONG} == {"letters", "ball", "stage"}

    def test_departments_that_no_rule_reaches(self) -> None:
        files = edited(
            "departments.yaml", "    duty: 协助退费\n", "    duty: 协助退费\n  - {code: far_office, name: 云溪区远办, duty: 无}\n"
        )
        found = the(Kind.NO_DEPARTMENT, "far_office", files)
        assert "句" in found.tried

    def test_issues_that_no_rule_reaches(self) -> None:
        files = edited("issues.yaml", "issues:\n", "issues:\n  odd:\n    name: 怪事\n")
        assert "没有规则支持它" in the(Kind.NO_ISSUE, "odd", files).said

    def test_questions_and_returns_that_are_never_used(self) -> None:
        questions = "  weather:\n    text: 天气\n    answers: [{code: a, text: 晴}, {code: b, text: 雨}]\nquestions_end"
        files = edited("ruleset.yaml", "no_evidence:", "  school: {reason: 学校，}\nno_evidence:")
        files["ruleset.yaml"] += questions.removesuffix("questions_end")
        found = {(finding.kind, finding.where) for finding in proved(files).findings}
        assert {(Kind.NO_QUESTION, "weather"), (Kind.NO_RETURN, "school")} <= found


class TestWitnesses:
    def test_every_claim_has_a_sentence_or_says_what_was_tried(self, proof: Proof, shipped: Proof) -> None:
        for finding in (*proof.findings, *shipped.findings):
            assert finding.witness is not None or finding.tried, finding

    def test_the_real_engine_says_the_same(self, shipped: Proof) -> None:
        engine = Engine(shipped.ruleset)
        for finding in shipped.findings:
            if finding.witness is not None:
                assert engine.triage(finding.witness.complaint) == finding.witness.decision

    def test_saved_as_cases_they_all_pass(self, proof: Proof, shipped: Proof) -> None:
        for each, files in ((proof, tiny()), (shipped, read_folder(find_pack("beichen")))):
            saved = {**files, prover.CASES: prover.cases(each)}
            assert ruletest.run(Engine(load(saved))).passed

    def test_a_case_that_is_saved_holds_until_the_rules_are_mended(self) -> None:
        found = the(Kind.DEAD_NEAR, "stage.trained", edited("categories/stage.yaml", "words: [课, 班]", "words: [兰球]"))
        assert found.witness is not None
        case: Expectation = found.witness.case(found.where, "", load(tiny()))
        assert case.not_hits == ("stage.trained",)


class TestOutput:
    def test_text_groups_the_findings_and_counts_them(self, proof: Proof) -> None:
        said = prover.text(proof)
        assert "类别没有强依据（3）：" in said
        assert said.endswith("。")
        assert f"发现 {len(proof.findings)} 处" in said

    def test_json_carries_every_finding(self, proof: Proof) -> None:
        found = prover.as_json(proof)
        assert len(found["findings"]) == len(proof.findings)
        assert all(finding["witness"] or finding["tried"] for finding in found["findings"])

    def test_a_pack_in_which_nothing_is_wrong_needs_no_file_of_cases(self, proof: Proof) -> None:
        assert prover.cases(Proof(proof.ruleset, (), 0, 0.0)) == ""


def test_depends_on_nothing_but_the_files(proof: Proof, tmp_path: Path) -> None:
    files = tiny()
    again = proved(dict(reversed(files.items())))
    assert again.findings == proof.findings
    assert not list(tmp_path.iterdir())


class TestOnItsWay:
    def test_it_tells_every_step_and_ends_at_the_number_that_was_foretold(self) -> None:
        told: list[int] = []
        engine = Engine(load(tiny()))
        prover.prove(engine, told.append)
        assert sum(told) == prover.steps(engine)

    def test_it_is_over_at_the_next_sentence_when_nobody_wants_it_any_more(self) -> None:
        engine, heard = Engine(load(tiny())), 0

        def tire(_: int) -> None:
            nonlocal heard
            heard += 1
            if heard == 100:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            prover.prove(engine, tire)
        assert heard == 100
