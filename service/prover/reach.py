"""Reach: departments, issues, questions and returns that no sentence leads to; categories that nothing speaks for strongly."""

from collections.abc import Iterator

from models.complaint import Complaint
from models.ruleset import Status, Strength
from service.prover.findings import Finding, Kind
from service.prover.rules import Backdrop
from service.prover.sentences import STEPS, Stage

FEW = 3
"""Phrases of each rule that are played before every backdrop."""


def explore(stage: Stage) -> None:
    """Play a few phrases of every rule before every backdrop: what comes of them stands in the tally afterwards."""
    backdrop = Backdrop(stage)
    for planned in stage.rules(STEPS["explore"]):
        if planned.order in stage.firing:
            for number, phrase in enumerate(backdrop.phrases(planned)):
                if number >= FEW:
                    break
                for sentence in backdrop.around(phrase):
                    stage.triage(sentence)
    for cases in stage.ruleset.cases.values():
        for case in (case.written_out()[0] for case in cases):
            stage.triage(Complaint(case.text, title=case.title, institution=case.institution, asserted_scope=case.asserted_scope))


def unreached(stage: Stage) -> Iterator[Finding]:
    """What no sentence of the whole run has come to. Call it last."""
    tried = f"全部 {stage.played} 句和规则包自己的用例"
    yield from _departments(stage, tried)
    yield from _issues(stage, tried)
    yield from _questions(stage, tried)
    yield from _returns(stage, tried)


def _departments(stage: Stage, tried: str) -> Iterator[Finding]:
    for department in stage.ruleset.departments:
        if department.code not in stage.tally.departments and not department.external:
            message = f"没有诉求会到{department.name}：既不是哪一类的主管部门，也没有问题类型请它协办"
            if any(department.code == assist.department for issue in stage.ruleset.issues.values() for assist in issue.assists):
                message = f"没有诉求会到{department.name}：请它协办的问题类型都没有命中过，或总被排在后面略去"
            hint = "若它确有职责，请在 issues.yaml 写明由哪个问题类型请它协办"
            yield Finding(Kind.NO_DEPARTMENT, department.code, "", message, hint, None, tried)


def _issues(stage: Stage, tried: str) -> Iterator[Finding]:
    head = stage.ruleset.ruleset.register_points
    by_register = {status.issue for status in (*head.statuses.values(), head.absent) if status is not None}
    for code, issue in stage.ruleset.issues.items():
        if code not in stage.tally.issues and code not in by_register:
            live = [rule.id for rule in stage.ruleset.rules if rule.issue == code and rule.status is Status.ACTIVE]
            message = f"没有诉求会判为问题类型“{issue.name}”：" + ("它的规则分值不够" if live else "没有规则支持它")
            yield Finding(Kind.NO_ISSUE, code, "", message, "请补一条规则，或删掉这个类型", None, tried)


def _questions(stage: Stage, tried: str) -> Iterator[Finding]:
    for code in stage.ruleset.ruleset.questions:
        if code not in stage.tally.questions:
            message = f"追问 {code} 从未问出"
            yield Finding(Kind.NO_QUESTION, code, "", message, "程序只问 category、primary、scope 三种；请检查名称", None, tried)


def _returns(stage: Stage, tried: str) -> Iterator[Finding]:
    for code in stage.ruleset.ruleset.returns:
        if f"out_{code.value}" not in stage.tally.reasons:
            supported = any(rule.scope is code and rule.status is Status.ACTIVE for rule in stage.ruleset.rules)
            message = f"从未以 {code.value} 退回：" + ("它的规则总被别的压过" if supported else "没有规则支持它")
            yield Finding(Kind.NO_RETURN, code.value, "", message, "请补一条规则，或删掉这一段", None, tried)


def weak_categories(stage: Stage) -> Iterator[Finding]:
    """Categories without one active strong rule, each with the sentence that speaks for it most."""
    backdrop = Backdrop(stage)
    for code, category in stage.ruleset.ruleset.categories.items():
        rules = [rule for rule in stage.plan.rules if rule.supports == f"category:{code}" and not rule.trial]
        strong = [rule for rule in rules if stage.written(rule).strength is Strength.STRONG and rule.order in stage.firing]
        if not strong:
            sentences = [said for rule in rules if rule.order in stage.firing for said in list(backdrop.phrases(rule))[:20]]
            best = max(sentences, key=lambda said: _score(stage, said, code), default=None)
            message = f"{category.name}没有一条 strong 的规则" + (
                f"，最强的一句也只有 {_score(stage, best, code)} 分" if best else "，也没有会命中的规则"
            )
            witness = stage.witness(best) if best else None
            yield Finding(Kind.NO_STRONG, code, "", message, "请把最明确的说法（如“项目+班”）写成一条 strong 的规则", witness)


def _score(stage: Stage, sentence: Complaint, code: str) -> int:
    """The points of the best rule for a category in a sentence."""
    return max((hit.weight for hit in stage.hits(sentence) if hit.rule.supports == f"category:{code}"), default=0)
