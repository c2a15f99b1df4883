"""How like two cases are: their texts, letter by letter, or what they tell, by the words that few texts hold. Pure."""

import math
from collections.abc import Callable, Iterable
from hashlib import blake2b
from operator import itemgetter

from rapidfuzz import fuzz

SHINGLE = 4
"""Characters that stand together in one shingle."""
BANDS, ROWS = 12, 3
"""Texts of which half is the same share a band in four cases of five, of which three quarters in nearly all; others almost never."""
SHORTEST = 24
"""A text with fewer characters is told by too many people to mean anything."""
ALL_WORDS = 60_000_000
"""What the counts of jieba's dictionary add up to."""

_MASK, _PRIME = (1 << 61) - 1, (1 << 61) - 1


def _factors(of: str) -> tuple[int, ...]:
    numbers = (int.from_bytes(blake2b(f"{of}{n}".encode(), digest_size=8).digest(), "big") for n in range(BANDS * ROWS))
    return tuple(number % _PRIME | 1 for number in numbers)


_TIMES, _PLUS = _factors("times"), _factors("plus")


def bands(text: str) -> tuple[str, ...]:
    """MinHash bands: nearly the same texts have one in common.

    Our own few lines and no library's: the bands stay in the database, and another version of a library would hash otherwise.
    """
    if len(text) < SHORTEST:
        return ()
    shingles = {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}
    hashes = [int.from_bytes(blake2b(shingle.encode(), digest_size=8).digest(), "big") & _MASK for shingle in shingles]
    least = [min((number * times + plus) % _PRIME for number in hashes) for times, plus in zip(_TIMES, _PLUS, strict=True)]
    return tuple(_band(band, least[band * ROWS : (band + 1) * ROWS]) for band in range(BANDS))


def _band(number: int, least: Iterable[int]) -> str:
    return blake2b(f"{number}:{','.join(map(str, least))}".encode(), digest_size=8).hexdigest()


def text_score(one: str, other: str, least: int) -> int:
    """In percent, how much of two texts is the same; 0 where that is less than `least`."""
    return round(fuzz.ratio(one, other, score_cutoff=least))


def story_score(one: frozenset[str], other: frozenset[str], weight: Callable[[str], int]) -> int:
    """In percent, how much two stories have in common by their words, of which a rare one tells more than many common ones."""
    common = _squares(one & other, weight)
    return round(100 * common / math.sqrt(_squares(one, weight) * _squares(other, weight))) if common else 0


def telling(words: Iterable[str], weight: Callable[[str], int]) -> list[str]:
    """The words, the rarest first."""
    return [word for _, word in sorted(((-_rarity(word, weight), word) for word in words), key=itemgetter(0, 1))]


def _squares(words: frozenset[str], weight: Callable[[str], int]) -> float:
    return math.fsum(_rarity(word, weight) ** 2 for word in words)


def _rarity(word: str, weight: Callable[[str], int]) -> float:
    return max(1.0, math.log(ALL_WORDS / max(weight(word), 1)))
