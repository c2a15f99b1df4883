"""Words of wrong cases: runs of tokens that may be worth a rule's while, the likeliest first."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.ruleset import Rule
from service.engine.plan import Plan
from service.engine.tokens import OUTSIDE
from service.ruletest.bench import Ready

SHORTEST, LONGEST = 2, 8
MOST_TOKENS = 3
FRAMED = 3
TAUGHT = re.compile(r"(?:学习|学|学的|报名|报了|报的|报|教|练|补|上了|上的|上)$")
"""What stands before a subject that is taught."""
TEACHING = re.compile(r"(?:班|课|培训|老师|教练|机构|馆|社|学校|兴趣|训练|中心|工作室|教室|考级|辅导|体验|教得)")
"""What stands behind one."""
FUNCTION = frozenset("的了很我他她它你是有在就也都把被给和与及不没这那请吗吧呢啊还又再着过到从对为因所几太")
LETTERS = re.compile(r"[\u3400-\u9fffa-z]")


@dataclass(frozen=True, slots=True)
class Word:
    """A run of tokens, in how many wrong cases it stands, how likely it is a name; `framed`: on how many sides as what is taught is."""

    text: str
    cases: int
    likely: int
    framed: int

    def likely_for(self, rule: Rule) -> int:
        """How likely a word is a term of a rule: what is taught stands in a frame of teaching, what went wrong does not."""
        return self.likely + (FRAMED * self.framed if rule.category or rule.scope else 0)


def words_of(plan: Plan, wrong: Iterable[Ready], right: Iterable[Ready], most: int) -> list[Word]:
    """The words of the wrong cases, best first: those of many cases, rare elsewhere, whole tokens, in a frame of teaching."""
    count: Counter[str] = Counter()
    framed: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for ready in wrong:
        runs = list(_runs(plan, ready.reading.text))
        count.update({word for word, _, _ in runs})
        for word, size, sides in runs:
            tokens[word], framed[word] = size, max(sides, framed.get(word, 0))
    whole = _whole(count)
    likely = {word: -(0 if word in whole else tokens[word] - 1) - 2 * _function_words(word) - _common(plan, word) for word in count}
    known = {
        pattern
        for pattern, role in zip(plan.patterns, plan.roles, strict=True)
        if role.terms or role.near or role.negates is not None or role.clears is not None
    }
    elsewhere = Counter(word for ready in right for word in _inside(count, ready.reading.text))
    words = [
        Word(word, number, likely[word] - (1 if word in whole else 3) * _known(word, known) - min(elsewhere[word], 2), framed[word])
        for word, number in count.items()
    ]
    return sorted(words, key=lambda word: (-word.cases, -word.likely - FRAMED * word.framed, len(word.text), word.text))[:most]


def _runs(plan: Plan, text: str) -> Iterator[tuple[str, int, int]]:
    """Every run of up to three tokens, how many they are, and on how many sides it is framed as what is taught is."""
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
                    taught = bool(TAUGHT.search(block[:start]))
                    yield word, size, taught + bool(TEACHING.match(block, end) or (taught and end == len(block)))


def _whole(count: Mapping[str, int]) -> set[str]:
    """Words of several cases that are no mere part of a longer word of as many: 挂着锁, not 着锁."""
    parts = {
        word[start:end]
        for word, cases in count.items()
        if cases > 1
        for start in range(len(word))
        for end in range(start + 1, len(word) + 1)
        if end - start < len(word) and count.get(word[start:end]) == cases
    }
    return {word for word, cases in count.items() if cases > 1} - parts


def _function_words(word: str) -> int:
    """How many characters of a word belong to the sentence and not to a name: 大家都这样."""
    return sum(1 for char in word if char in FUNCTION)


def _common(plan: Plan, word: str) -> int:
    """How much a word belongs to everybody: 外面 and 态度 name nothing, however well they fit one case."""
    return 2 * max(len(str(plan.cutter.weight(word))) - 3, 0)


def _inside(words: Iterable[str], text: str) -> Iterator[str]:
    return (word for word in words if word in text)


def _known(word: str, known: set[str]) -> int:
    """How many words inside one are known already as something else: 孩子学街舞 is less of a name than 街舞."""
    inside = {word[start:end] for start in range(len(word)) for end in range(start + 2, len(word) + 1)}
    return len(inside & known)
