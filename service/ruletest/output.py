"""The report as people read it, as JUnit XML for build servers, and as JSON."""

import re
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from models.ruleset import RuleSet
from service.ruletest.mutants import Fate, Mutant, Mutation
from service.ruletest.report import Report, Result
from service.ruletest.trial import Fault

NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST_SHOWN = 12
"""Unreached terms that are printed for one rule; all stand in the JSON."""
KEYS = {
    "decision": "研判结果",
    "reason_code": "理由代码",
    "lead": "主办",
    "category": "类别",
    "categories": "各类别",
    "issues": "问题类型",
    "assists": "协办",
    "urgency": "紧急程度",
}


def percent(part: int, whole: int) -> str:
    """A share in percent, cut off after one digit and never rounded up: 99.96% is 99.9%. A share of nothing is a dash."""
    return f"{part * 1000 // whole / 10:.1f}%" if whole else "—"


def text(report: Report, *, uncovered: bool = False) -> str:
    """The report for a terminal: what failed, each with its evidence, then how far the cases reach."""
    parts = [_failure(result, report.ruleset) for result in report.failed]
    if uncovered:
        parts.append(_uncovered(report))
    return "\n\n".join([*(part for part in parts if part), _summary(report)])


def _summary(report: Report) -> str:
    coverage = report.coverage
    failed = len(report.failed)
    cases = f"用例 {len(report.results)} 个，" + (f"未通过 {failed} 个" if failed else "全部通过") + f"，用时 {report.seconds:.2f} 秒"
    rules = f"规则 {coverage.rules_reached}/{len(coverage.rules)}（{percent(coverage.rules_reached, len(coverage.rules))}）"
    terms = f"词语 {coverage.terms_reached}/{coverage.terms}（{percent(coverage.terms_reached, coverage.terms)}）"
    return f"{cases}。\n用例触及：{rules}，{terms}。"


def _failure(result: Result, ruleset: RuleSet) -> str:
    sample, decision = result.sample, result.decision
    lines = [f"未通过 {_place(result)}：{sample.case.text}"]
    lines += [f"    {_said(fault, ruleset)}" for fault in result.faults]
    lines.append(f"    研判：{decision.reason}")
    lines += [f"    依据：{piece.rule}「{piece.quote}」{piece.weight} 分（{piece.supports}）" for piece in decision.evidence]
    if sample.case.why:
        lines.append(f"    用例说明：{sample.case.why}")
    return "\n".join(lines)


def _place(result: Result) -> str:
    sample = result.sample
    return f"{sample.file}:{sample.line}" if sample.line else f"{sample.file} 第 {sample.number} 个用例"


def _said(fault: Fault, ruleset: RuleSet) -> str:
    """One fault in Chinese: expected, got."""
    if fault.key == "hits":
        return f"应命中 {fault.expected[0]}，没有命中：{fault.why}"
    if fault.key == "not":
        return f"不应命中 {fault.got[0]}，却命中了：{fault.why}"
    expected, got = (named(fault.key, codes, ruleset) for codes in (fault.expected, fault.got))
    return f"{KEYS[fault.key]} {fault.key}：期望 {expected}，得到 {got}{_difference(fault)}"


def _difference(fault: Fault) -> str:
    """What is missing and what is too much, where there are several."""
    if len(fault.expected) < 2 and len(fault.got) < 2:
        return ""
    lost = [code for code in fault.expected if code not in fault.got]
    more = [code for code in fault.got if code not in fault.expected]
    return "".join([f"；少了 {'、'.join(lost)}" if lost else "", f"；多了 {'、'.join(more)}" if more else ""])


def named(key: str, codes: tuple[str, ...], ruleset: RuleSet) -> str:
    """Codes with the names by which officials know them."""
    names = {
        "lead": {department.code: department.name for department in ruleset.departments},
        "category": {code: category.name for code, category in ruleset.ruleset.categories.items()},
        "issues": {code: issue.name for code, issue in ruleset.issues.items()},
    }
    known = names.get({"assists": "lead", "categories": "category"}.get(key, key), {})
    return "、".join(f"{code}（{known[code]}）" if code in known else code for code in codes) or "无"


def _uncovered(report: Report) -> str:
    """The rules and terms that no case reaches."""
    lines = []
    for rule in report.coverage.rules:
        if not rule.cases:
            lines.append(f"    {rule.rule}：没有用例命中这条规则（{rule.terms} 个词语）")
        elif rule.unreached:
            more = f" 等 {len(rule.unreached)} 个" if len(rule.unreached) > MOST_SHOWN else ""
            lines.append(f"    {rule.rule}：{'、'.join(rule.unreached[:MOST_SHOWN])}{more}")
    return "\n".join(["没有用例触及的规则和词语：", *lines]) if lines else ""


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    coverage = report.coverage
    return {
        "pack": report.ruleset.pack,
        "version": report.ruleset.version,
        "digest": report.ruleset.digest,
        "passed": report.passed,
        "cases": len(report.results),
        "failed": [_failed_json(result, report.ruleset) for result in report.failed],
        "results": [_tried_json(result, report.ruleset) for result in report.results],
        "coverage": {
            "rules": _share(coverage.rules_reached, len(coverage.rules)),
            "terms": _share(coverage.terms_reached, coverage.terms),
            "by_rule": [asdict(rule) for rule in coverage.rules],
        },
        "seconds": round(report.seconds, 3),
    }


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"reached": part, "of": whole, "percent": percent(part, whole)}


def _tried_json(result: Result, ruleset: RuleSet) -> dict[str, Any]:
    sample = result.sample
    return {
        "file": sample.file,
        "line": sample.line or None,
        "number": sample.number,
        "text": sample.case.text,
        "passed": result.passed,
        "messages": [_said(fault, ruleset) for fault in result.faults],
        "decision": result.decision.decision.value,
        "lead": result.decision.lead,
    }


def _failed_json(result: Result, ruleset: RuleSet) -> dict[str, Any]:
    sample = result.sample
    return {
        "file": sample.file,
        "number": sample.number,
        "line": sample.line or None,
        "text": sample.case.text,
        "faults": [
            {"key": fault.key, "expected": list(fault.expected), "got": list(fault.got), "why": fault.why, "message": _said(fault, ruleset)}
            for fault in result.faults
        ],
    }


def mutation_text(mutation: Mutation, *, unreached: bool = False) -> str:
    """What no case would miss, rule by rule: first what cases meet and do not notice, then, if wanted, what no case meets."""
    parts = [_taken(mutation.of(fate), TITLES[fate]) for fate in TITLES if unreached or fate is not Fate.UNREACHED]
    return "\n\n".join([*(part for part in parts if part), _mutation_summary(mutation)])


TITLES = {
    Fate.UNNOTICED: "用例碰到了，拿掉却没有用例察觉：",
    Fate.REDUNDANT: "多余，拿掉毫无变化：",
    Fate.UNREACHED: "没有用例碰到：",
}


def _mutation_summary(mutation: Mutation) -> str:
    total, noticed = len(mutation.mutants), mutation.count(Fate.NOTICED)
    reached = noticed + mutation.count(Fate.UNNOTICED)
    lines = [
        f"逐一拿掉 {total} 处，用例察觉 {noticed} 处（{percent(noticed, total)}）。",
        f"用例碰到的 {reached} 处里察觉 {noticed} 处（{percent(noticed, reached)}）。",
        f"没有用例碰到 {mutation.count(Fate.UNREACHED)} 处，多余 {mutation.count(Fate.REDUNDANT)} 处。",
    ]
    if mutation.failing:
        lines.append(f"有 {mutation.failing} 个用例现在就不通过，没有参加。")
    return "\n".join(lines)


def _taken(mutants: tuple[Mutant, ...], title: str) -> str:
    """What was taken away, by rule or list, under a title."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for mutant in mutants:
        by_place.setdefault((mutant.where, mutant.part), []).append(mutant.word)
    lines = [f"    {where} 的 {part}：{'、'.join(words)}" for (where, part), words in sorted(by_place.items())]
    return "\n".join([title, *lines]) if lines else ""


def mutation_json(mutation: Mutation) -> dict[str, Any]:
    """The mutants for programs."""
    return {
        "pack": mutation.ruleset.pack,
        "digest": mutation.ruleset.digest,
        "mutants": len(mutation.mutants),
        **{fate.value: mutation.count(fate) for fate in Fate},
        "failing_cases": mutation.failing,
        "survivors": [asdict(mutant) for mutant in mutation.mutants if mutant.fate is not Fate.NOTICED],
    }


def junit(report: Report) -> str:
    """The report as JUnit XML, one suite for each file."""
    root = ET.Element("testsuites", name="fenpai rules test", tests=str(len(report.results)), failures=str(len(report.failed)))
    root.set("time", f"{report.seconds:.3f}")
    for file in sorted({result.sample.file for result in report.results}):
        results = [result for result in report.results if result.sample.file == file]
        failed = sum(1 for result in results if not result.passed)
        suite = ET.SubElement(root, "testsuite", name=file, tests=str(len(results)), failures=str(failed), errors="0", skipped="0")
        for result in results:
            _junit_case(suite, result, report.ruleset)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _junit_case(suite: ET.Element, result: Result, ruleset: RuleSet) -> None:
    sample = result.sample
    name = NOT_XML.sub("�", f"{sample.number} {' '.join(sample.case.text.split())[:60]}")
    case = ET.SubElement(suite, "testcase", classname=sample.file, name=name)
    if sample.line:
        case.set("line", str(sample.line))
    if not result.passed:
        failure = ET.SubElement(case, "failure", message=NOT_XML.sub("�", "；".join(_said(fault, ruleset) for fault in result.faults)))
        failure.text = NOT_XML.sub("�", _failure(result, ruleset))
