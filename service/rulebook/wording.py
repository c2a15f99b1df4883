"""Pydantic's complaints in the words of officials: what is wrong with a value, and how to mend it."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from service.rulebook.mistakes import Loc, Words
from service.rulebook.nodes import Node
from service.rulebook.shape import fields_at

IN_CHINESE = {
    "规则": "rules", "编号": "id", "名称": "name", "类别": "category", "范围": "scope", "问题": "issue", "信号": "signal",
    "词语": "terms", "词": "terms", "关键词": "terms", "排除": "unless", "除外": "unless", "位置": "in", "附近": "near", "邻近": "near",
    "需要": "needs", "前提": "needs", "互斥": "blocked_by", "强度": "strength", "权重": "strength", "状态": "status", "项目": "program",
    "条款": "clause", "理由": "why", "原因": "why", "说明": "why", "清单": "lists", "单位": "department", "部门": "department",
    "单位清单": "departments", "别名": "aliases", "职责": "duty", "文件": "document", "文号": "number", "条": "article", "原文": "quote",
    "引文": "quote", "标题": "title", "内容": "text", "文本": "text", "用例": "cases", "主办": "lead", "牵头": "lead", "协办": "assists",
    "结果": "decision", "命中": "hits", "不命中": "not", "强": "strong", "中": "medium", "弱": "weak", "试行": "trial", "启用": "active",
    "停用": "retired", "隔离": "quarantined", "机构": "institution", "分派": "dispatch", "提级": "escalate", "退回": "return",
    "是": "true", "否": "false", "真": "true", "假": "false",
    "weight": "strength", "words": "terms", "keywords": "terms", "exclude": "unless", "except": "unless", "places": "in", "where": "in",
    "not_hits": "not", "requires": "needs", "reason": "why", "content": "text", "type": "category", "description": "why",
}  # fmt: skip
"""What officials are likely to write for our keys and values."""

EXAMPLES = {
    "id": "id: swim.class", "name": "name: 规则的名称", "terms": "terms: [词一, 词二]", "words": "words: [词一, 词二]",
    "code": "code: 单位代码", "quote": "quote: 条款原文", "department": "department: 单位代码", "text": "text: 来话原文",
    "points": "points: {strong: 12, medium: 6, weak: 3}",
}  # fmt: skip

PATTERNS = {
    r"^[a-z][a-z0-9_]{0,39}$": "代码须以小写字母开头，只含小写字母、数字和下划线，至多 40 个字符，例如 swim",
    r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$": "规则编号须是用点隔开的小写字母、数字或下划线，例如 swim.class",
    r"^[a-z0-9][a-z0-9-]{0,59}$": "条款编号须只含小写字母、数字和连字符，例如 doc-5-3",
}
QUOTES = "“”‘’＂＇「」『』"


def said(error: ErrorDetails, root: Node, model: type[BaseModel]) -> Words:
    """One of pydantic's errors in Chinese; `root` holds the file, `model` reads it."""
    kind, loc = error["type"], error["loc"]
    if kind == "missing":
        return _missing(loc)
    if kind == "extra_forbidden":
        return unknown_key(str(loc[-1]), fields_at(model, loc[:-1]))
    explain = SAYINGS.get(kind, _otherwise)
    return explain(error, error.get("ctx") or {}, root.at(loc))


def _missing(loc: Loc) -> Words:
    key = str(loc[-1])
    return "missing", f"缺少 {key}", f"请补上 {EXAMPLES.get(key, key + ': …')}"


def unknown_key(key: str, known: Iterable[str]) -> Words:
    known = list(known)
    guess = likely(key.rstrip("：: "), known)
    hint = f"您是否想写 {guess}？" if guess else f"这里可以写：{'、'.join(known)}" if known else "请删掉它"
    return "unknown_key", f"没有名为 {shortened(key)} 的字段", hint


def likely(written: str, known: Iterable[str]) -> str | None:
    """The known word that somebody meant who wrote this."""
    known = list(known)
    plain = unicodedata.normalize("NFKC", written).strip().strip(QUOTES).lower()
    meant = IN_CHINESE.get(plain)
    if meant in known:
        return meant
    found = process.extractOne(plain, known, scorer=fuzz.ratio, score_cutoff=60)
    return found[0] if found else None


def shortened(text: str, limit: int = 30) -> str:
    """A value as it is shown inside a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit] + "…"


def _as_text(_error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    if node.entries and len(node.entries) == 1 and next(iter(node.entries.values()))[1].text is None:
        inner = next(iter(node.entries))
        return "braces", "这里须是文字", f'以 {{ 开头的词语要加引号，例如 "{{{shortened(inner)}}}"'
    if node.entries and len(node.entries) == 1:
        key, (_, value) = next(iter(node.entries.items()))
        return "blank", "这里须是文字", f"冒号后面不要空格：{shortened(key)}:{shortened(value.text or '')}，或给整个值加引号"
    if node.is_empty():
        return "empty", "这里没有写内容", "请补上内容，或删掉这一行"
    return "not_text", "这里须是文字，不能是清单或一组字段", "请只写一个值"


def _as_list(_error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    if node.text is None and not node.entries:
        return "empty_list", "清单是空的", "请写成 [词一, 词二]，或每行一个「- 词」"
    if node.entries:
        return "not_list", "这里须是清单", "清单用方括号 [甲, 乙]，或每行以「- 」开头；花括号 { } 不是清单"
    parts = [part for part in re.split(r"[,，、;；\s\[\]［］【】]+", str(node.text)) if part]
    return "not_list", "这里须是清单", f"请写成 [{', '.join(map(shortened, parts[:5]))}]"


def _as_map(_error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    if node.text and "：" in node.text:
        return "not_map", "这里须是一组「字段: 值」", "冒号须用半角，后面加一个空格"
    if node.text and ":" in node.text:
        return "not_map", "这里须是一组「字段: 值」", "冒号后面要有一个空格"
    return "not_map", "这里须是一组「字段: 值」", "请每行写一个「字段: 值」，比上一级多缩进两格"


def _as_number(_error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    if node.text is None:
        return "not_number", "这里须是数字", "请写一个数字，例如 10"
    plain = unicodedata.normalize("NFKC", node.text)
    hint = f"请用半角数字 {plain}" if plain != node.text and plain.isdigit() else "请只写数字，不带单位，例如 10"
    return "not_number", f"{shortened(node.text)} 不是{'数字' if 'float' in _error['type'] else '整数'}", hint


def _as_flag(_error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    guess = likely(node.text or "", ["true", "false"])
    return (
        "not_flag",
        f"{shortened(node.text or '这里')} 不是 true 或 false",
        f"您是否想写 {guess}？" if guess else "请写 true（是）或 false（否）",
    )


def _as_choice(_error: ErrorDetails, ctx: Mapping[str, Any], node: Node) -> Words:
    choices = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
    guess = likely(node.text or "", choices)
    hint = f"您是否想写 {guess}？" if guess else f"可以写：{'、'.join(choices)}"
    return "not_choice", f"这里不能写 {shortened(node.text)}" if node.text else "这里没有写对", hint


def _by_pattern(_error: ErrorDetails, ctx: Mapping[str, Any], node: Node) -> Words:
    written = node.text or ""
    if written and written[0] in QUOTES:
        return "wide_quotes", f"{shortened(written)} 用了全角引号", f"请改用半角引号，或不加引号：{written.strip(QUOTES)}"
    return "pattern", f"{shortened(written) or '这里'} 不合写法", PATTERNS.get(str(ctx.get("pattern")), "请参照旁边的写法")


def said_of_key(error: ErrorDetails) -> Words:
    """A complaint about a key that officials chose themselves: a category, an issue, a clause."""
    pattern = str((error.get("ctx") or {}).get("pattern"))
    return "pattern", f"{shortened(str(error['input']))} 不合写法", PATTERNS.get(pattern, "请参照旁边的写法")


def _too_short(_error: ErrorDetails, ctx: Mapping[str, Any], node: Node) -> Words:
    if node.items or node.entries:
        return "too_few", f"至少要有 {ctx['min_length']} 项，现有 {ctx['actual_length']} 项", "请补上"
    return "empty_list", "清单是空的", "请至少写一项，或删掉这个字段"


def _too_long(_error: ErrorDetails, ctx: Mapping[str, Any], _node: Node) -> Words:
    return "too_many", f"至多 {ctx['max_length']} 项，这里更多", "请分成几份"


SAYINGS: dict[str, Callable[[ErrorDetails, Mapping[str, Any], Node], Words]] = {
    "string_type": _as_text,
    "string_too_short": lambda _error, _ctx, _node: ("empty", "这里没有写内容", "请补上内容，或删掉它"),
    "string_too_long": lambda _error, ctx, node: (
        "too_long",
        f"太长：至多 {ctx['max_length']} 个字，现有 {len(node.text or '')} 个",
        "请缩短",
    ),
    "string_pattern_mismatch": _by_pattern,
    "tuple_type": _as_list,
    "list_type": _as_list,
    "dict_type": _as_map,
    "model_type": _as_map,
    "model_attributes_type": _as_map,
    "int_parsing": _as_number,
    "int_type": _as_number,
    "int_from_float": _as_number,
    "int_parsing_size": _as_number,
    "float_parsing": _as_number,
    "float_type": _as_number,
    "finite_number": _as_number,
    "bool_parsing": _as_flag,
    "bool_type": _as_flag,
    "enum": _as_choice,
    "literal_error": _as_choice,
    "too_short": _too_short,
    "too_long": _too_long,
    "greater_than_equal": lambda _error, ctx, node: ("out_of_range", f"{node.text} 太小", f"不能小于 {ctx['ge']:g}"),
    "less_than_equal": lambda _error, ctx, node: ("out_of_range", f"{node.text} 太大", f"不能大于 {ctx['le']:g}"),
    "greater_than": lambda _error, ctx, node: ("out_of_range", f"{node.text} 太小", f"须大于 {ctx['gt']:g}"),
    "less_than": lambda _error, ctx, node: ("out_of_range", f"{node.text} 太大", f"须小于 {ctx['lt']:g}"),
    "value_error": lambda _error, ctx, _node: ("invalid", str(ctx["error"]), ""),
}
"""By pydantic's type of error. What is not listed is said by `_otherwise`."""


def _otherwise(error: ErrorDetails, _ctx: Mapping[str, Any], node: Node) -> Words:
    return "invalid", f"{shortened(node.text) if node.text else '这里'} 不合写法（{error['type']}）", "请参照旁边的写法"
