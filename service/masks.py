"""What must not leave with a text: numbers that look like telephones and identity cards, and whatever words are named."""

import re
from collections.abc import Iterable

# One sign for one sign, so that a place in the folded text is the same place in the text itself.
_FOLDED = str.maketrans("０１２３４５６７８９Ｘｘ－—‐–（）＋．　", "0123456789Xx----()+. ")
_GAP = r"[-. ]?"
_CARD = rf"(?<!\d)\d{{6}}{_GAP}(?:18|19|20)\d{{2}}{_GAP}\d{{4}}{_GAP}\d{{3}}[\dXx](?!\d)"
_MOBILE = rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)"
_LANDLINE = r"(?<!\d)\(?0\d{2,3}\)?[- ]?\d{7,8}(?!\d)"
_NUMBER = re.compile(f"{_CARD}|{_MOBILE}|{_LANDLINE}", re.ASCII)


def masked(text: str, words: Iterable[str] = ()) -> str:
    """The text with such numbers and these words hidden, but for their beginnings, which tell two of them apart."""
    for word in words:
        text = text.replace(word, f"{word[:1]}**")
    if not _has_digits(text):
        return text
    pieces, done = [], 0
    for found in _NUMBER.finditer(text.translate(_FOLDED)):
        number = text[found.start() : found.end()]
        pieces += [text[done : found.start()], f"{number[:3]}****{number[-2:]}"]
        done = found.end()
    return "".join([*pieces, text[done:]])


def _has_digits(text: str) -> bool:
    return _DIGITS.search(text) is not None


_DIGITS = re.compile("[0-9０-９]{3}")


# For those who may read a text but need not know of whom it speaks ------------------------------------------------------------------

_SEGMENT = r"1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])"
"""The beginnings that mobile numbers have; others are the numbers of something else."""
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ORDER = re.compile(r"(?:工单|单号|编号|订单|流水号|案件|案号|许可证)[^\d，。；]{0,6}$")
"""What stands before the number of an order."""
_PERSONAL = re.compile(
    rf"(?P<card>{_CARD})|(?P<phone>(?<!\d)(?:(?:\+|00)?86{_GAP})?{_SEGMENT}{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)|{_LANDLINE})"
    rf"|(?P<plate>[{_PROVINCES}][A-HJ-NP-Z][·. ]?[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9]))",
    re.ASCII,
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def veiled(text: str, words: Iterable[str] = ()) -> str:
    """The text with people's numbers, plates of cars and these words hidden, sign for sign, so that places in it stay what they are.

    Numbers of orders are spared: by the check digit of identity cards, the beginnings of mobile numbers, and the word before them.
    """
    for word in words:
        text = text.replace(word, word[:1] + "*" * (len(word) - 1))
    pieces, done = [], 0
    for found in _PERSONAL.finditer(text.translate(_FOLDED)):
        number = text[found.start() : found.end()]
        if _is_personal(found, text[: found.start()]):
            pieces += [text[done : found.start()], shortened(number)]
            done = found.end()
    return "".join([*pieces, text[done:]])


def shortened(number: str) -> str:
    """A number with its middle hidden: 138****1234; of a short one or a plate only the beginning is left."""
    if len(number) <= SHORT:
        return number[:2] + "*" * (len(number) - 2)
    end = 4 if len(number) <= PHONE_SIGNS else 2
    return number[:3] + "*" * (len(number) - 3 - end) + number[-end:]


SHORT, PHONE_SIGNS = 8, 14
"""Up to so many signs a number is a plate, or a telephone with all that may stand within one."""


def _is_personal(found: re.Match[str], before: str) -> bool:
    if found.lastgroup == "plate":
        return True
    if found.lastgroup == "card":
        return _checks(found[0]) or before.rstrip("：: 号码为是")[-3:] == "身份证"
    return _ORDER.search(before[-12:]) is None


def _checks(card: str) -> bool:
    """Whether the last sign of an identity card is the one that the others make."""
    signs = re.sub(r"[-. ]", "", card).upper()
    return _CHECKS[sum(int(sign) * weight for sign, weight in zip(signs, _WEIGHTS, strict=False)) % 11] == signs[17]
