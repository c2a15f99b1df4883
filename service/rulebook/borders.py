"""Borders: terms that jieba never gives as tokens, however callers put them. Where they stand inside longer words, nothing is met."""

from models.ruleset import RuleSet
from service.engine.plan import words_of
from service.engine.text import Reader
from service.engine.tokens import Borders, Cutter, cutter
from service.rulebook.pack import Pack
from service.rulebook.wording import shortened

NATURAL = (
    "孩子学{}", "{}班", "给孩子报{}课", "报了{}", "{}老师", "在{}上课", "机构的{}", "机构{}", "他们{}了", "要求{}",
    "有{}吗", "说{}", "{}的", "去{}", "被{}", "这个{}不好", "我{}", "一家{}", "是{}", "开{}",
)  # fmt: skip
"""How callers put a word into a sentence. A word that none of these lets stand on token borders is hardly ever met."""


def check_borders(pack: Pack, ruleset: RuleSet) -> None:
    """Note plain terms that are cut apart or swallowed in every sentence. The dictionary is the one that the engine will use."""
    reader = Reader(ruleset.aliases, ruleset.ruleset.quoted)
    cuts = cutter(frozenset(words_of(ruleset, reader)))
    for sheet in pack.rules():
        for loc, node in sheet.walk("rules.*.terms.*"):
            term, loose = reader.fold((node.text or "").strip()), sheet.root.at(loc[:2]).child("loose")
            if term and "{" not in term and (loose is None or loose.text != "true") and not _stands(cuts, term):
                shown = "/".join(cuts.cut(NATURAL[0].format(term)))
                sheet.warn(
                    loc,
                    (
                        "never_token",
                        f"{shortened(term)} 放进句子里总被分词切断或并入别的词（如 {shown}），不会命中",
                        "请改写成来话里的完整说法，或检查 words.txt，或设 loose: true",
                    ),
                )


def _stands(cuts: Cutter, term: str) -> bool:
    """Whether one of the ways in which callers speak leaves a term on token borders."""
    for setting in NATURAL:
        start = setting.index("{}")
        if Borders(cuts, setting.format(term)).hold(start, start + len(term)):
            return True
    return False
