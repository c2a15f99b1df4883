"""Words of wrong cases: runs of tokens that may be worth a rule's while, the likeliest first."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from service.engine.plan import Plan
from service.engine.tokens import OUTSIDE
from service.ruletest.bench import Ready

SHORTEST, LONGEST = 2, 8
MOST_TOKENS = 3
TAUGHT = re.compile(r"(?:学习|学|报名|报了|报|教|练|上|开|会|的|在|了)$")
"""What stands before a subject that is taught."""
TEACHING = re.compile(r"(?:班|课|培训|老师|教练|机构|馆|社|学校|兴趣|训练|中心|工作室|教室|考级|辅导|体验|教得|退)")
"""What stands behind one."""
LETTERS = re.compile(r"[\u3400-\u9fffa-z]")


@dataclass(frozen=True, slots=True)
class Word:
    """A run of tokens, in how many wrong cases it stands, and how likely it is a name for something."""

    text: str
    cases: int
    likely: int


def words_of(plan: Plan, wrong: Iterable[Ready], right: Iterable[Ready], most: int) -> list[Word]:
    """The words of the wrong cases, best first: those of many cases, rare elsewhere, whole tokens, in a frame of teaching."""
    count: Counter[str] = Counter()
    likely: Counter[str] = Counter()
    for ready in wrong:
        seen: dict[str, int] = {}
        for word, tokens, framed in _runs(plan, ready.reading.text):
            seen[word] = max(seen.get(word, -9), 2 * framed - 2 * (tokens - 1))
        count.update(seen.keys())
        for word, points in seen.items():
            likely[word] = max(likely.get(word, -9), points)
    known = {
        pattern for pattern, role in zip(plan.patterns, plan.roles, strict=True) if role.terms or role.near or role.negates is not None
    }
    elsewhere = Counter(word for ready in right for word in _inside(count, ready.reading.text))
    words = [Word(word, number, likely[word] - _known(word, known) - min(elsewhere[word], 6)) for word, number in count.items()]
    return sorted(words, key=lambda word: (-word.cases, -word.likely, len(word.text), word.text))[:most]


def _runs(plan: Plan, text: str) -> Iterator[tuple[str, int, bool]]:
    """Every run of up to three tokens, how many they are, and whether it stands where one names what is taught."""
    for block in (block for block in OUTSIDE.split(text) if block):
        tokens = plan.cutter.cut(block)
        starts = [0]
        for token in tokens:
            starts.append(starts[-1] + len(token))
        for first in range(len(tokens)):
            for size in range(1, min(MOST_TOKENS, len(tokens) - first) + 1):
                start, end = starts[first], starts[first + size]
                word = block[start:end]
                if SHORTEST <= len(word) <= LONGEST and LETTERS.search(word):
                    yield word, size, bool(TAUGHT.search(block[:start])) + bool(TEACHING.match(block, end)) > 0


def _inside(words: Iterable[str], text: str) -> Iterator[str]:
    return (word for word in words if word in text)


def _known(word: str, known: set[str]) -> int:
    """How much of a word is known already as something else: 孩子学街舞 is less of a name than 街舞."""
    inside = {word[start:end] for start in range(len(word)) for end in range(start + 1, len(word) + 1)}
    return 3 * len(inside & known)
