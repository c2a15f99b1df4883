"""What pydantic finds wrong, told in Chinese: each field by its JSON pointer, each mistake by a stable code of our own."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from service.errors import BodyNotUtf8, FieldFault, Invalid, JsonBroken, ParameterInvalid, Refusal

SHOWN = 50
"""Most faults told in one answer: a body may hold a million unknown fields."""

NAME_SHOWN = 100
"""Longest piece of a pointer; field names come from the caller."""

_TIME = ("bad_time", "应为带时区的时间，例如 2026-11-24T09:30:00+08:00")
_OBJECT = ("wrong_type", "应为 JSON 对象，形如 {{…}}")
_ARRAY = ("wrong_type", "应为 JSON 数组，形如 […]")
_TEXT = ("wrong_type", "应为文字，写在双引号中")
_INTEGER = ("wrong_type", "应为整数")
_NUMBER = ("wrong_type", "应为数字")
_YES_NO = ("wrong_type", "应为 true 或 false")
_CHOICE = ("not_allowed", "只能是 {expected}")

TOLD: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "缺少这一项"),
    "extra_forbidden": ("unknown_field", "没有这个字段，请检查拼写"),
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": ("unstorable", "含有无法保存的字符，请按 UTF-8 重新编码"),
    "string_too_short": ("too_short", "至少 {min_length} 个字"),
    "string_too_long": ("too_long", "不能超过 {max_length} 个字"),
    "string_pattern_mismatch": ("bad_format", "写法不对：应以小写字母开头，只含小写字母、数字与下划线"),
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_parsing_size": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "greater_than": ("out_of_range", "应大于 {gt}"),
    "greater_than_equal": ("out_of_range", "不能小于 {ge}"),
    "less_than": ("out_of_range", "应小于 {lt}"),
    "less_than_equal": ("out_of_range", "不能大于 {le}"),
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "list_type": _ARRAY,
    "tuple_type": _ARRAY,
    "too_short": ("too_short", "至少 {min_length} 项"),
    "too_long": ("too_long", "不能超过 {max_length} 项"),
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "none_required": ("wrong_type", "应为 null"),
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": ("timezone_missing", "缺少时区，应写成 2026-11-24T09:30:00+08:00 的样子"),
    "value_error": ("bad_value", "{error}"),
}
"""pydantic's error type -> our code and what to say."""

OF_TEXT = {"too_short": "string_too_short", "too_long": "string_too_long"}
"""pydantic counts items where a text has a validator of our own behind it."""

_FALLBACK = ("bad_value", "不合要求")

_SYNTAX = {
    "EOF while parsing": "内容不完整，到这里就结束了",
    "control character": "文字里有未转义的换行或控制字符，换行应写成 \\n",
    "trailing characters": "JSON 结束之后还有多余的内容",
    "trailing comma": "多了一个逗号",
    "key must be a string": "字段名须用双引号括起来",
    "hex escape": "文字里有不完整的 \\u 转义（孤立代理项），请按 UTF-8 直接发送文字",
    "surrogate": "文字里有不完整的 \\u 转义（孤立代理项），请按 UTF-8 直接发送文字",
    "escape": "文字里有无法识别的转义，反斜杠应写成 \\\\",
    "recursion limit": "嵌套太深",
    "number out of range": "数字太大",
    "invalid number": "数字写法不对",
    "expected `:`": "字段名之后缺少冒号",
    "expected `,`": "缺少逗号，或括号没有配对",
    "expected ident": "只能写 true、false 或 null",
}
_PLACE = re.compile(r" at line (\d+) column (\d+)$")


EXTRA = "extra"
"""The field of a body that has a place for the caller's own fields."""


def refusal(error: ValidationError, body: bytes, fields: Collection[str] = ()) -> Refusal:
    """Why this body was not taken: not UTF-8, not JSON, or fields that are wrong. `fields`: those that it may have."""
    faults = error.errors(include_input=False, include_url=False)
    if faults[0]["type"] == "json_invalid":
        return _unreadable(str(faults[0]["ctx"]["error"]), body)
    return Invalid(_summary(len(faults)), told(faults, lambda name: _no_field(name, fields)))


def parameters(faults: Iterable[Mapping[str, Any]]) -> ParameterInvalid:
    """The same for query parameters; their place begins with the word "query"."""
    listed = [{**fault, "loc": _parameter(fault["loc"])} for fault in faults]
    count = len({fault["loc"] for fault in listed})
    return ParameterInvalid(_summary(count), _either(told(listed, lambda _: "没有这个查询参数，请检查拼写")))


def _either(faults: Iterable[FieldFault]) -> list[FieldFault]:
    """What is wrong with one value as one fault, where it may be of several kinds."""
    merged: dict[str, FieldFault] = {}
    for fault in faults:
        known = merged.get(fault.pointer)
        merged[fault.pointer] = replace(known, detail=f"{known.detail}；或者{fault.detail}") if known else fault
    return list(merged.values())


def _parameter(place: Sequence[str | int]) -> tuple[str | int, ...]:
    """Its place without the kinds that pydantic names where a value may be of several, such as a number or the word "now"."""
    return tuple(step for number, step in enumerate(place[1:]) if not number or isinstance(step, int))


def _no_field(name: str, fields: Collection[str]) -> str:
    near = get_close_matches(name[:NAME_SHOWN], fields, n=1)
    hint = f"。您是否想写 {near[0]}？" if near else f"。可以写：{'、'.join(fields)}；" if fields else "，请检查拼写；"
    return f"没有这个字段{hint}来源系统自己的字段请放进 extra" if EXTRA in fields else f"没有这个字段{hint.removesuffix('；')}"


Unknown = Callable[[str], str]
"""What to say of a field or parameter of this name, which there is none of."""


def told(faults: Iterable[Mapping[str, Any]], unknown: Unknown | None = None) -> list[FieldFault]:
    """Each fault in our words, the first ones if there are too many."""
    return [_told(fault, unknown) for fault, _ in zip(faults, range(SHOWN), strict=False)]


def _told(fault: Mapping[str, Any], unknown: Unknown | None) -> FieldFault:
    kind = fault["type"]
    code, text = TOLD.get(kind, _FALLBACK)
    context = fault.get("ctx") or {}
    if kind == "extra_forbidden" and unknown and len(fault["loc"]) == 1:
        return FieldFault(pointer(fault["loc"]), unknown(str(fault["loc"][0])), code)
    if kind in OF_TEXT and context.get("field_type") == "Value":
        code, text = TOLD[OF_TEXT[kind]]
    elif kind == "string_too_short" and context.get("min_length") == 1:
        text = "不能为空"
    elif kind == "string_pattern_mismatch" and not str(context.get("pattern")).startswith("^[a-z]"):
        text = "写法不对，可用的字符和格式见接口说明"
    elif text == _CHOICE[1]:
        context = {"expected": _choices(str(context.get("expected", "")))}
    return FieldFault(pointer(fault["loc"]), text.format(**context), code)


def pointer(place: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{_shortened(str(part)).replace('~', '~0').replace('/', '~1')}" for part in place)


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else name[:NAME_SHOWN] + "…"


def _choices(expected: str) -> str:
    return "、".join(re.findall(r"'([^']*)'", expected)) or expected


def _summary(count: int) -> str | None:
    """What to say where not all are listed."""
    return f"有 {count} 处不合格式，errors 中列出前 {SHOWN} 处。" if count > SHOWN else None


def _unreadable(reason: str, body: bytes) -> Refusal:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return BodyNotUtf8(_wrong_encoding(body, error.start))
    if b"\x00" in body[:4]:
        return BodyNotUtf8("请求体像是 UTF-16 编码，请改用 UTF-8 发送。")
    return JsonBroken(_syntax(reason))


def _wrong_encoding(body: bytes, at: int) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "请求体像是 UTF-16 编码，请改用 UTF-8 发送。"
    try:
        body.decode("gb18030")
    except UnicodeDecodeError:
        return f"请求体不是 UTF-8 编码（第 {at + 1} 个字节起无法识别），请改用 UTF-8 发送。"
    return f"请求体不是 UTF-8 编码（第 {at + 1} 个字节起无法识别），像是 GBK（GB18030），请改用 UTF-8 发送。"


def _syntax(reason: str) -> str:
    """The parser's English, in Chinese, with the place."""
    place = _PLACE.search(reason)
    where = f"{'' if place[1] == '1' else f'第 {place[1]} 行'}第 {place[2]} 列：" if place else ""
    for sign, text in _SYNTAX.items():
        if sign in reason:
            return f"{where}{text}。"
    return f"{where}不是合乎语法的 JSON。"
