"""Texts of every kind for the properties: words of the rules among noise, and what no one would write."""

from hypothesis import strategies as st

from models.complaint import Complaint
from models.ruleset import RuleSet
from service.engine.terms import expand_term, word_lists

NOISE = [
    "，",
    "。",
    "、",
    "：",
    "\n",
    "\r\n",
    " ",
    "\u3000",
    "不是",
    "没教",
    "希望开设",
    "的",
    "了",
    "小区",
    "每周",
    "三千元",
    "2024年",
    "Python3",
    "A栋",
]
"""Between the words: pauses, negations, and words of everyday."""

STRANGE = [
    *"\x00\x07\u200b\u200d\u2066\ufe0f\ufeff\u00ad\u0301\ud800\U0001f483\U00020000\u3400\uf900\uffffİẞﬀＡ９＋Σ١𝐀㍿【】\\",
    *("\x1b[31m", "\udfff\ud800", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "ｶﾞ", "【最近派发", "[.*+?^${}()|"),
]
"""Characters that break programs."""


def vocabulary(ruleset: RuleSet, each: int = 6) -> list[str]:
    """Some terms of every rule, its exclusions and frame words, the negations, the aliases."""
    found: list[str] = []
    lists = word_lists(ruleset.rules, ruleset.lists)
    for rule in ruleset.rules:
        terms = tuple(dict.fromkeys(word for term in rule.terms for word in expand_term(term, lists)))
        found += [*_some(terms, each), *_some(rule.unless, each), *(_some(rule.near.words, each) if rule.near else ())]
    found += [word for negation in ruleset.ruleset.negations for word in negation.words]
    return sorted({*found, *ruleset.aliases})


def _some(given: tuple[str, ...], number: int) -> tuple[str, ...]:
    """At most so many of them, spread over the whole."""
    return given[:: max(len(given) // number, 1)][:number]


def written(vocabulary: list[str], length: int = 24) -> st.SearchStrategy[str]:
    """Texts in which words of the rules meet each other and noise."""
    piece = st.sampled_from(vocabulary) | st.sampled_from(NOISE)
    return st.lists(piece, max_size=length).map("".join)


def anything(vocabulary: list[str]) -> st.SearchStrategy[str]:
    """Texts that hold words of the rules, strange characters, and anything that is a string at all."""
    piece = st.sampled_from(vocabulary) | st.sampled_from(STRANGE) | st.text(max_size=6) | st.characters()
    return st.lists(piece, max_size=20).map("".join)


def complaints(text: st.SearchStrategy[str]) -> st.SearchStrategy[Complaint]:
    return st.builds(
        Complaint, content=text, title=text | st.just(""), institution=text | st.just(""), asserted_scope=st.booleans(), answers=ANSWERS
    )


ANSWERS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from(["category", "primary", "scope", "\x00"]),
        st.sampled_from(["subject", "arts", "ball", "school", "outside", ""]),
        max_size=2,
    ),
)
