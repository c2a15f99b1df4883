"""Names of institutions as they are compared: folded, without place and corporate form, and by their sound."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from math import prod
from pathlib import Path

from daachorse import MATCH_KIND_LEFTMOST_LONGEST, CharwiseDoubleArrayAhoCorasick

from .text import Reader

LEGAL = ("股份有限公司", "有限责任公司", "有限公司", "总公司", "分公司", "公司", "集团", "个体工商户")
"""What a registered name ends with, and nobody says."""
KINDS = (
    "培训学校", "培训中心", "培训机构", "培训班", "培训部", "培训", "补习班", "学校", "学堂", "学苑", "学馆", "中心", "机构", "俱乐部",
    "训练营", "工作室", "校区", "分校", "总校", "总店", "分店", "旗舰店", "门店",
)  # fmt: skip
"""What kind of house it is: said or left out as one likes."""
COMMON = (
    "教育", "文化", "艺术", "体育", "运动", "科技", "信息", "技术", "智能", "咨询", "管理", "发展", "传播", "传媒", "服务",
    "国际", "企业", "商贸", "网络", "少儿", "少年", "儿童", "青少年", "亲子", "幼儿", "学生", "素质", "成长", "综合", "专业",
    "专门", "公益", "科普", "文体",
)  # fmt: skip
"""Words that thousands of names share: alone they name nobody."""
VAGUE = re.compile(r"某|不详|不清|不明|未知|不知|无名|匿名|未提供|没.?名|暂无|^无$|[x×*?？]{2}|一家|有家|附近|楼上|楼下|小区")
"""Such a name was filled in for want of a name."""
BRANCH = re.compile(r"[（(〔【\[][^）)〕】\]]*[）)〕】\]]")
SIGNS = re.compile(r"[\s·・•.,，、\-—_\"“”‘’'《》「」]")
"""Everybody sets them in another way."""

SOUNDS = Path(__file__).with_name("sounds.txt")
ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
"""Sounds that callers and speech-to-text take for one another."""
CHANCE = 5_000_000
"""Two characters whose weights multiply to more than this stand side by side in many a text."""
LONGEST = 8
"""Words that many names share are not longer."""


class Names:
    """Takes names apart. `places` are the district's own words, `programs` what is taught; both come from the pack."""

    def __init__(self, places: Iterable[str] = (), programs: Iterable[str] = (), reader: Reader | None = None) -> None:
        self.reader = reader or Reader({}, ())
        self._places = tuple(sorted(map(self.reader.fold, places), key=len, reverse=True))
        self._programs = frozenset(map(self.reader.fold, programs))
        known = sorted({*self._programs, *map(self.reader.fold, (*LEGAL, *KINDS, *COMMON))} - {""})
        self._known = tuple(known)
        self._finder = CharwiseDoubleArrayAhoCorasick(known, MATCH_KIND_LEFTMOST_LONGEST)

    def whole(self, name: str) -> str:
        """Folded, without blanks and the like."""
        return SIGNS.sub("", self.reader.fold(name))

    def plain(self, name: str) -> str:
        """Without the branch in brackets either."""
        return BRANCH.sub("", self.whole(name))

    def bare(self, name: str) -> str:
        """Without the place before and the legal form behind: 某市某区蔓汀舞蹈培训有限公司 -> 蔓汀舞蹈培训."""
        return _without_ends(self._without_places(self.plain(name)), LEGAL)

    def core(self, name: str) -> str:
        """Without the kind of house either."""
        return _without_ends(self.bare(name), KINDS + LEGAL)

    def telling(self, name: str) -> str:
        """What is its own: without all that other names have, too."""
        pieces, done = [], 0
        text = self._without_places(name)
        for start, end, _ in self._finder.find(text):
            pieces.append(text[done:start])
            done = end
        return "".join([*pieces, text[done:]])

    def own(self, name: str) -> str:
        """What this one alone is called, in front of what others are called too: 鲸豆湾游泳馆 -> 鲸豆湾; nothing of no proper name."""
        if not self.is_proper(name):
            return ""
        bare = self.bare(name)
        starts = [start for start, _, _ in self._finder.find(bare)]
        first = min(starts, default=len(bare))
        found = bare[:first] if first > 1 else self.telling(bare)
        return found if len(found) > 1 else ""

    def taught(self, name: str) -> frozenset[str]:
        """The programs that a name tells."""
        return frozenset(self._known[number] for _, _, number in self._finder.find(name)) & self._programs

    def goes_on(self, text: str, place: int) -> bool:
        """Whether a word that many names share begins here."""
        found = self._finder.find(text[place : place + LONGEST])
        return bool(found) and found[0][0] == 0

    def is_proper(self, name: str) -> bool:
        """Whether this is somebody's name, not 某英语培训班."""
        plain = self.plain(name)
        return len(self.telling(plain)) > 1 and not VAGUE.search(plain)

    def _without_places(self, name: str) -> str:
        while place := next((place for place in self._places if name.startswith(place) and len(name) > len(place) + 1), None):
            name = name[len(place) :]
        return name


def _without_ends(name: str, ends: tuple[str, ...]) -> str:
    """The name without these endings, as long as something is left."""
    while end := next((end for end in ends if name.endswith(end) and len(name) > len(end) + 1), None):
        name = name[: -len(end)]
    return name


def brand(name: str, others: Iterable[str]) -> str:
    """What a name and those of its other names that begin alike have in common in front: 鲸豆湾体育发展, 鲸豆湾游泳馆 -> 鲸豆湾."""
    common = name
    for other in others:
        if other[:2] == name[:2]:
            common = common[
                : next((at for at, (a, b) in enumerate(zip(common, other, strict=False)) if a != b), min(len(common), len(other)))
            ]
    return common


class Ears:
    """Which characters are heard, or typed, for which. `weight` says how often people write a character."""

    def __init__(self, weight: Callable[[str], int]) -> None:
        self._weight = cache(weight)
        self._instead = cache(self._commoner)

    def sound(self, text: str) -> str:
        """Each character as the first of those that sound like it; what is no Chinese stays as it is."""
        return "".join(_alike().get(character, character)[0] for character in text)

    def instead(self, character: str) -> frozenset[str]:
        """What ears and keyboards put in for it: what sounds alike and is as common or commoner. Whoever writes a rarer one means it."""
        return self._instead(character)

    def is_common(self, word: str) -> bool:
        """Whether the characters of this word often meet by chance."""
        return prod(map(self._weight, word)) > CHANCE

    def _commoner(self, character: str) -> frozenset[str]:
        least = self._weight(character) * 9 // 10
        return frozenset(other for other in _alike().get(character, "") if other != character and self._weight(other) >= least)


@cache
def _alike() -> dict[str, str]:
    """For each character all that sound like it."""
    groups: dict[str, str] = {}
    for line in SOUNDS.read_text(encoding="utf-8").splitlines()[1:]:
        syllable, characters = line.split(" ")
        for one, other in ALIKE:
            syllable = syllable.replace(one, other)
        groups[syllable] = groups.get(syllable, "") + characters
    return {character: characters for characters in groups.values() for character in characters}
