"""Writes service/engine/sounds.txt: `python -m tests.register.sounds`. pypinyin knows the sounds; the service need not carry its 57 MB."""

from pathlib import Path

import opencc
from pypinyin import lazy_pinyin

from service.engine import names

FILE = Path(names.__file__).with_name("sounds.txt")
HEAD = "# How each simplified character is read, without tones: made by `python -m tests.register.sounds` from pypinyin.\n"


def text() -> str:
    """The file, as it should be: a syllable a line, then its characters."""
    han = "".join(map(chr, range(0x4E00, 0xA000)))
    simple = sorted(set(opencc.OpenCC("t2s").convert(han)) & set(han))
    readings: dict[str, list[str]] = {}
    for char, reading in zip(simple, lazy_pinyin(simple), strict=True):
        if reading != char:
            readings.setdefault(reading, []).append(char)
    return HEAD + "".join(f"{reading} {''.join(readings[reading])}\n" for reading in sorted(readings))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
