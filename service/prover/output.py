"""A proof as people read it, as JSON, and its witnesses as a file of test cases."""

from collections import Counter
from typing import Any

from models.decision import Decision
from models.ruleset import RuleSet
from service.prover.findings import Finding, Kind, Proof, Witness
from service.prover.terms import said
from service.ruletest import case_line

CASES = "prove.test.yaml"
"""The file of a pack that holds saved witnesses."""
TITLES = {
    Kind.CANCELLED_RULE: "规则的词语全被它自己的 unless 取消",
    Kind.DEAD_NEAR: "规则的 near 永远不满足",
    Kind.DEAD_NEEDS: "规则的 needs 永远不满足",
    Kind.DEAD_BLOCK: "规则总被 blocked_by 挡住",
    Kind.DEAD_RULE: "规则永远不会命中",
    Kind.CONFLICT: "一个词分到两个单位",
    Kind.LOST: "明明在说某项目，却没有算作该类",
    Kind.DEAD_TERM: "词语永远不会命中",
    Kind.BORDER_TERM: "词语只在单独出现时命中",
    Kind.IDLE_RULE: "规则从未改变过研判",
    Kind.IDLE_NEAR: "near 里的词从不起作用",
    Kind.IDLE_NEED: "needs 里的名字从不起作用",
    Kind.IDLE_BLOCK: "blocked_by 里的名字从不起作用",
    Kind.IDLE_UNLESS: "unless 里的词从不起作用",
    Kind.TIE: "两类并列，无从定出主办",
    Kind.NO_STRONG: "类别没有强依据",
    Kind.NO_DEPARTMENT: "没有诉求会到的单位",
    Kind.NO_ISSUE: "没有诉求会判为的问题类型",
    Kind.NO_QUESTION: "从未问出的追问",
    Kind.NO_RETURN: "从未用过的退回理由",
}
BRIEF = (Kind.IDLE_UNLESS,)
"""Kinds of which a rule may have dozens: told on one line each."""


def text(proof: Proof) -> str:
    """The findings for a terminal, the gravest first, each with its witness."""
    parts = []
    for kind, title in TITLES.items():
        findings = [finding for finding in proof.findings if finding.kind is kind]
        if findings:
            lines = [line for finding in findings for line in _lines(finding, brief=kind in BRIEF)]
            parts.append("\n".join([f"{title}（{len(findings)}）：", *lines]))
    return "\n\n".join([*parts, _summary(proof)])


def _lines(finding: Finding, *, brief: bool) -> list[str]:
    lines = [f"  {finding.where}：{finding.said}"]
    if brief:
        return lines
    if finding.witness is not None:
        lines.append(f"      例句：{said(finding.witness.complaint)}")
        lines.append(f"      结果：{_came(finding.witness.decision)}")
    if finding.tried:
        lines.append(f"      试过：{finding.tried}")
    return [*lines, f"      怎么改：{finding.hint}"]


def _came(decision: Decision) -> str:
    parts = [decision.decision.value, decision.reason_code.value, decision.lead or ""]
    parts += [f"{category.code} {category.score} 分" for category in decision.categories]
    return "，".join(part for part in parts if part)


def _summary(proof: Proof) -> str:
    counts = Counter(finding.kind for finding in proof.findings)
    faults = len(proof.faults)
    kinds = "，".join(f"{TITLES[kind]} {counts[kind]}" for kind in Kind if counts[kind])
    found = f"发现 {len(proof.findings)} 处，其中 {faults} 处永远不起作用" if proof.findings else "没有发现问题"
    return f"{found}；造句 {proof.sentences} 句，用时 {proof.seconds:.1f} 秒。" + (f"\n{kinds}。" if kinds else "")


def as_json(proof: Proof) -> dict[str, Any]:
    """The proof for programs."""
    return {
        "pack": proof.ruleset.pack,
        "version": proof.ruleset.version,
        "digest": proof.ruleset.digest,
        "findings": [_finding(finding) for finding in proof.findings],
        "faults": len(proof.faults),
        "sentences": proof.sentences,
        "seconds": round(proof.seconds, 3),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "fault": finding.is_fault,
        "where": finding.where,
        "word": finding.word,
        "message": finding.said,
        "hint": finding.hint,
        "tried": finding.tried or None,
        "witness": _witness(finding.witness) if finding.witness else None,
    }


def _witness(witness: Witness) -> dict[str, Any]:
    complaint, decision = witness.complaint, witness.decision
    return {
        "title": complaint.title,
        "content": complaint.content,
        "institution": complaint.institution,
        "decision": decision.decision.value,
        "reason_code": decision.reason_code.value,
        "lead": decision.lead,
        "categories": [{"code": category.code, "score": category.score} for category in decision.categories],
        "fired": sorted(witness.fired),
    }


def cases(proof: Proof) -> str:
    """The witnesses as a file of cases. Each holds what comes of it today, so that they all pass until the rules are mended."""
    lines = ["# fenpai rules prove 存下的例句：写的是现在的结果。改好规则后，请把期望改成应有的结果，并移到规则旁边的用例文件。", "cases:"]
    seen: set[tuple[str, str, str]] = set()
    for finding in proof.findings:
        if finding.witness is not None:
            said_ = (finding.witness.complaint.institution, finding.witness.complaint.title, finding.witness.complaint.content)
            if said_ not in seen:
                seen.add(said_)
                lines.append(_case(finding, finding.witness, proof.ruleset))
    return "\n".join(lines) + "\n" if seen else ""


def _case(finding: Finding, witness: Witness, ruleset: RuleSet) -> str:
    return "  - " + case_line(witness.case(finding.where, f"{TITLES[finding.kind]}：{finding.where} {finding.word}".strip(), ruleset))
