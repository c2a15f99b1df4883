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
