"""A second engine, slow and plain, written from the rules' definitions alone: loops and `in`, no automaton, no gate, no short cut.

It gives the verdict only. One difference is by definition: where a text holds nothing that the pack listens for, the engine says
no_evidence without looking further, while the reference goes on and may find one of the reasons that the pack does not listen for.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import jieba
import opencc

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import Rule, RuleSet

FIELDS = ("institution", "title", "content")
ANSWERED = 1000


@dataclass(frozen=True)
class Verdict:
    decision: str
    reason: str
    lead: str | None
    category: str | None
    categories: tuple[tuple[str, int], ...]
    issues: tuple[str, ...]
    assists: tuple[str, ...]
    urgency: str
    certainty: int


def verdict_of(decision: Decision) -> Verdict:
    """The part of a decision that the reference gives, too."""
    return Verdict(
        decision.decision,
        decision.reason_code,
        decision.lead,
        decision.category,
        tuple((category.code, category.score) for category in decision.categories),
        decision.issues,
        tuple(assist.department for assist in decision.assists),
        decision.urgency,
        decision.certainty,
    )


@dataclass(frozen=True)
class Letter:
    """One folded character and the place of its origin in the fields joined by line breaks."""

    char: str
    place: int


@dataclass(frozen=True)
class Found:
    """A word in the folded text."""

    word: str
    start: int
    end: int


class Reference:
    """One rule set, read plainly."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self.head = ruleset.ruleset
        self.simplified = opencc.OpenCC("t2s")
        self.aliases = {self.folded(alias): self.folded(meaning) for alias, meaning in ruleset.aliases.items()}
        self.rules = [rule for rule in ruleset.rules if rule.status in {"active", "trial", "quarantined"}]
        self.lists = self._lists()
        self.terms = {rule.id: self._written_out(rule.terms) for rule in self.rules}
        self.unless = {rule.id: self._written_out(rule.unless) for rule in self.rules}
        self.near = {rule.id: self._written_out(rule.near.words) if rule.near else set() for rule in self.rules}
        self.negations, self.clearings = self._negations("after"), self._negations("before")
        words = (word for by_rule in (self.terms, self.unless, self.near) for words in by_rule.values() for word in words)
        self.starting: dict[str, set[str]] = {}
        for word in (*words, *self.negations, *self.clearings):
            self.starting.setdefault(word[:2], set()).add(word)
        self.tokenizer = jieba.Tokenizer()
        self.tokenizer.initialize()
        self.tokenizer.total = sum(self.tokenizer.FREQ.values())  # a word that stands twice in jieba's dictionary counts once
        programs = (
            term
            for rule in ruleset.rules
            if rule.program and rule.status in {"active", "quarantined"}
            for term in rule.terms
            if "{" not in term
        )
        for word in sorted({self.folded(word) for word in (*ruleset.words, *programs)}):
            self._learn(word)

    # Words ----------------------------------------------------------------------------------------------------------------------

    def _learn(self, word: str) -> None:
        """Make jieba join a word that it does not join by itself, with the weight that it suggests, at least 2."""
        old = self.tokenizer.FREQ.get(word, 0)
        if not old or list(self.tokenizer.cut(word, HMM=False)) != [word]:
            self.tokenizer.add_word(word, max(self.tokenizer.suggest_freq(word), 2))
            self.tokenizer.total -= old

    def _lists(self) -> dict[str, set[str]]:
        lists: dict[str, set[str]] = {"program": set()}
        for rule in self.ruleset.rules:
            if rule.program and rule.category and rule.status in {"active", "quarantined"}:
                plain = {term for term in rule.terms if "{" not in term}
                lists["program"] |= plain
                lists[rule.category] = lists.get(rule.category, set()) | plain
        return lists | {name: set(words) for name, words in self.ruleset.lists.items()}

    def _written_out(self, terms: Iterable[str]) -> set[str]:
        """Every plain folded word that the terms stand for."""
        words: set[str] = set()
        for term in terms:
            pieces = re.split(r"(\{[^{}]*\})", term)
            choices = [self.lists[piece[1:-1]] if piece.startswith("{") else {piece} for piece in pieces]
            words |= {self.folded("".join(choice)) for choice in product(*choices)}
        return words - {""}

    def _negations(self, side: str) -> dict[str, int]:
        """Each word that denies what stands on that side of it, and how far it reaches."""
        reach: dict[str, int] = {}
        for negation in (each for each in self.head.negations if each.side == side):
            for word in map(self.folded, negation.words):
                reach[word] = max(negation.within, reach.get(word, 0))
        return reach

    # Text -----------------------------------------------------------------------------------------------------------------------

    def folded(self, text: str) -> str:
        return "".join(letter.char for letter in self.letters(text))

    def letters(self, text: str) -> list[Letter]:
        """The characters of a text as they are compared; those without width are left out."""
        return [Letter(self._one(char), place) for place, char in enumerate(text) if not _invisible(char)]

    def _one(self, char: str) -> str:
        if "\ud800" <= char <= "\udfff":
            return "\ufffd"
        narrow = unicodedata.normalize("NFKC", char)
        wide = "\uff10" <= char <= "\uff5a" and narrow.isalnum()
        if wide or char in "\u3000＋＃":
            char = narrow
        char = char.lower() if len(char.lower()) == 1 else char
        simple = self.simplified.convert(char) if "\u4e00" <= char <= "\u9fff" else char
        return simple if len(simple) == 1 else char

    def read(self, complaint: Complaint) -> list[Letter]:
        """All fields in one, old orders in brackets blanked out, aliases written as what they mean."""
        letters = self.letters("\n".join(self._without_old_orders(getattr(complaint, field)) for field in FIELDS))
        out: list[Letter] = []
        at = 0
        while at < len(letters):
            ahead = "".join(letter.char for letter in letters[at : at + 40])
            alias = max((alias for alias in self.aliases if ahead.startswith(alias)), key=len, default="")
            out += [Letter(char, letters[at].place) for char in self.aliases[alias]] if alias else [letters[at]]
            at += len(alias) or 1
        return out

    def _without_old_orders(self, field: str) -> str:
        seen = "".join(self._one(char) for char in field)
        at = seen.find("【")
        while at >= 0:
            opener = re.match(r"【[^【】]*", seen[at:])
            if opener and any(0 <= opener[0].find(self.folded(word), 1) <= 13 for word in self.head.quoted):
                end = _closing(seen, at)
                field = field[:at] + " " * (end - at) + field[end:]
                seen = seen[:at] + " " * (end - at) + seen[end:]
            at = seen.find("【", at + 1)
        return field

    def borders(self, text: str) -> set[int]:
        """Where jieba's tokens begin and end."""
        places, at = {0}, 0
        for token in self.tokenizer.cut(text, HMM=False):
            at += len(token)
            places.add(at)
        return places

    # Evidence -------------------------------------------------------------------------------------------------------------------

    def points(self, complaint: Complaint) -> dict[str, int]:
        """The points of every rule that fires; a rule on trial has none and moves nothing, and so is left out."""
        letters = self.read(complaint)
        text = "".join(letter.char for letter in letters)
        starts = {text[at : at + length] for at in range(len(text)) for length in (1, 2)}
        met = {word for start in starts for word in self.starting.get(start, ()) if word in text}
        page = Page(
            text, [letter.place for letter in letters], met, self.borders(text), self.negations, self.clearings, complaint, self.ruleset
        )
        fires: dict[str, int] = {}
        waiting = [rule for rule in self.rules if rule.status == "active"]
        while waiting:
            names = {name for rule in waiting for name in (rule.id, rule.supports)}
            ready = {rule.id: rule for rule in waiting if not names.intersection(rule.needs + rule.blocked_by)}
            known = set(fires) | {rule.supports for rule in self.rules if rule.id in fires}
            for rule in ready.values():
                allowed = (not rule.needs or known.intersection(rule.needs)) and not known.intersection(rule.blocked_by)
                hits = page.hits(rule, self.terms[rule.id], self.unless[rule.id], self.near[rule.id]) if allowed else []
                if hits:
                    fires[rule.id] = self._weight(rule, hits, page)
            waiting = [rule for rule in waiting if rule.id not in ready]
        return fires

    def _weight(self, rule: Rule, hits: list[Found], page: "Page") -> int:
        """Each word once, where it counts most; the second and third word a part of it."""
        best: dict[str, int] = {}
        for hit in hits:
            best[hit.word] = max(best.get(hit.word, 0), page.percent(hit.start))
        points = self.head.points[rule.strength]
        ranked = sorted(best.values(), reverse=True)
        return sum(points * percent * share // 10_000 for percent, share in zip(ranked, self.head.repeat, strict=False))

    def sums(self, kind: str, fires: dict[str, int]) -> dict[str, int]:
        """The points of everything of a kind (scope, category, issue) that some rule speaks for."""
        by_code: dict[str, list[int]] = {}
        for rule in self.rules:
            if rule.id in fires and getattr(rule, kind) is not None:
                by_code.setdefault(getattr(rule, kind), []).append(fires[rule.id])
        return {
            code: sum(each * share // 100 for each, share in zip(sorted(points, reverse=True), self.head.repeat, strict=False))
            for code, points in by_code.items()
        }

    # Verdict --------------------------------------------------------------------------------------------------------------------

    def verdict(self, complaint: Complaint) -> Verdict:
        fires = self.points(complaint)
        scope, categories = self.sums("scope", fires), self.sums("category", fires)
        issues = self.sums("issue", fires)
        self._register(complaint, scope, issues)
        self._answers(complaint, scope, categories)
        inside = scope.pop("in", 0)
        away = scope.pop("other_district", 0)
        against, why = max([(points, code) for code, points in scope.items() if points > 0], default=(0, ""))
        signals = {rule.signal for rule in self.rules if rule.id in fires}
        urgency = "emergency" if "emergency" in signals else "urgent" if "urgent" in signals else "normal"
        limits = self.head.thresholds
        if away >= limits.out:
            return Verdict("return", "out_other_district", None, None, (), (), (), urgency, inside)
        believed = complaint.asserted_scope and against < limits.scope
        if not believed and (inside < limits.scope or inside - against < limits.margin):
            reason = f"out_{why}" if why and against >= limits.out else "no_evidence"
            return Verdict("return", reason, None, None, (), (), (), urgency, max(against - inside, 0))
        return self._inside(complaint, fires, categories, issues, inside - against, urgency)

    def _register(self, complaint: Complaint, scope: dict[str, int], issues: dict[str, int]) -> None:
        """What the register says: more where the hotline named the institution, less where the text only mentions it."""
        hit, says = complaint.register, self.head.register_points
        if hit is None:
            return
        status = says.absent if hit.how == "absent" else says.statuses.get(hit.status)
        if hit.how != "absent":
            scope["in"] = scope.get("in", 0) + (says.mention if hit.field in {"title", "content"} else says.scope)
        if status and status.issue:
            issues[status.issue] = issues.get(status.issue, 0) + self.head.points[status.strength]

    def _answers(self, complaint: Complaint, scope: dict[str, int], categories: dict[str, int]) -> None:
        for question, given in complaint.answers.items():
            for answer in self.head.questions[question].answers if question in self.head.questions else ():
                if answer.code == given and answer.category:
                    categories[answer.category] = categories.get(answer.category, 0) + ANSWERED
                    scope["in"] = scope.get("in", 0) + ANSWERED
                if answer.code == given and answer.scope:
                    scope[answer.scope] = scope.get(answer.scope, 0) + ANSWERED

    def _inside(
        self, complaint: Complaint, fires: dict[str, int], points: dict[str, int], said: dict[str, int], distance: int, urgency: str
    ) -> Verdict:
        issues = self._issues(said)
        taught = self._taught(points)
        outcome, reason, lead, primary = self._lead(complaint, fires, taught)
        if not taught and primary:
            taught = ((primary, 0),)
        helpers = self._helpers(fires, issues, lead, primary)
        by_office: dict[str, int] = {}
        for code, score in points.items():
            by_office[self._office(code)] = by_office.get(self._office(code), 0) + score
        best = sorted([*by_office.values(), 0, 0], reverse=True)
        certainty = max(min(distance, best[0] - best[1]), 0)
        if outcome == "dispatch" and len(helpers) > self.head.comprehensive_over:
            outcome, reason = "escalate", "comprehensive"
        if outcome == "dispatch" and reason != "register" and certainty < self.head.thresholds.dispatch:
            outcome, reason = "escalate", "low_confidence"
        return Verdict(outcome, reason, lead, primary, taught, issues, tuple(helpers[: self.head.max_assists]), urgency, certainty)

    def _office(self, category: str) -> str:
        return self.head.categories[category].department

    def _issues(self, points: dict[str, int]) -> tuple[str, ...]:
        met = [code for code in points if points[code] >= self.head.thresholds.issue]
        return tuple(sorted(met, key=lambda code: (self.ruleset.issues[code].rank, code)))

    def _taught(self, points: dict[str, int]) -> tuple[tuple[str, int], ...]:
        """The categories with enough points, and with enough beside the best, best first."""
        best = max(points.values(), default=0)
        enough = [
            (code, points[code])
            for code in self.head.categories
            if code in points and points[code] >= self.head.thresholds.category and points[code] * 100 >= best * self.head.thresholds.share
        ]
        return tuple(sorted(enough, key=lambda pair: -pair[1]))

    def _lead(self, complaint: Complaint, fires: dict[str, int], taught: tuple[tuple[str, int], ...]) -> tuple[str, str, str, str | None]:
        licensed = complaint.register.category if complaint.register else None
        licensed = licensed if licensed in self.head.categories else None
        if not taught:
            if licensed:
                return "dispatch", "register", self._office(licensed), licensed
            return "escalate", "no_category", self.head.coordinator, None
        mentioned = complaint.register is not None and complaint.register.field in {"title", "content"}
        primary = self._primary(taught, None if mentioned else licensed)
        offices = {self._office(code) for code, _ in taught}
        if len(offices) > 1:
            return "escalate", "multi_department", self._office(primary) if primary else self.head.coordinator, primary
        if self._disputed(fires, *taught[0]):
            return "escalate", "needs_identification", offices.pop(), primary
        return "dispatch", "clear", offices.pop(), primary

    def _primary(self, taught: tuple[tuple[str, int], ...], licensed: str | None) -> str | None:
        points = dict(taught)
        best = max(points.values())
        dominant = self.head.dominant
        if dominant in points and points[dominant] * 100 >= best * self.head.dominant_share:
            return dominant
        leaders = [code for code in points if points[code] == best]
        return leaders[0] if len(leaders) == 1 else licensed if licensed in leaders else None

    def _disputed(self, fires: dict[str, int], category: str, score: int) -> bool:
        """Whether a disputed rule fired, and nothing but disputed rules speaks for the best category."""
        disputed = set(self.head.identification)
        plain = [rule for rule in self.rules if rule.category == category and rule.id in fires and rule.id not in disputed]
        return bool(disputed.intersection(fires)) and not plain and score < ANSWERED

    def _helpers(self, fires: dict[str, int], issues: tuple[str, ...], lead: str, primary: str | None) -> list[str]:
        """The departments to help: for each issue first those its rules name, then those the issue names."""
        helpers: list[str] = []
        for issue in issues:
            met = [rule for rule in self.rules if rule.issue == issue and rule.id in fires]
            named = [code for rule in sorted(met, key=lambda rule: rule.id) for code in rule.assists]
            usual = [each.department for each in self.ruleset.issues[issue].assists if not each.only or primary in each.only]
            helpers += [code for code in dict.fromkeys([*named, *usual]) if code != lead and code not in helpers]
        return helpers


@dataclass(frozen=True)
class Page:
    """A folded text with all that one needs to know about its places."""

    text: str
    origins: list[int]
    met: set[str]
    borders: set[int]
    negations: dict[str, int]
    clearings: dict[str, int]
    complaint: Complaint
    ruleset: RuleSet

    def hits(self, rule: Rule, terms: set[str], unless: set[str], near: set[str]) -> list[Found]:
        """The terms of a rule that count in this text."""
        negatable = rule.category is not None or rule.scope == "in"
        return [
            hit
            for hit in self.find(terms)
            if set(rule.places) & self.places(hit.start)
            and (rule.loose or {hit.start, hit.end} <= self.borders)
            and not any(other.start < hit.end and hit.start < other.end for other in self.find(unless))
            and not (negatable and self.negated(hit))
            and (rule.near is None or any(self.framed(hit, frame, rule.near.within) for frame in self.find(near)))
        ]

    def find(self, words: set[str]) -> Iterator[Found]:
        for word in words & self.met:
            start = self.text.find(word)
            while start >= 0:
                yield Found(word, start, start + len(word))
                start = self.text.find(word, start + 1)

    def negated(self, hit: Found) -> bool:
        return any(
            negation.start < hit.start <= negation.end + self.negations[negation.word]
            and not re.search(r"[。！？!?；;\n，,、：:]", self.text[negation.end : hit.start])
            for negation in self.find(set(self.negations))
            if not self.asked(negation)
        ) or any(
            0 <= negation.start - hit.end <= self.clearings[negation.word]
            and not re.search(r"[。！？!?；;\n，,：:]", self.text[hit.end : negation.start])
            for negation in self.find(set(self.clearings))
        )

    def asked(self, negation: Found) -> bool:
        """A不A asks, it does not deny."""
        before, after = self.text[: negation.start][-1:], self.text[negation.start :][1:2]
        return before != "" and before == after

    def framed(self, hit: Found, frame: Found, within: int) -> bool:
        before, after = hit.start - frame.end, frame.start - hit.end
        between = self.text[frame.end : hit.start] if before >= 0 else self.text[hit.end : frame.start]
        return (0 <= before <= within or 0 <= after <= within) and not re.search(r"[。！？!?；;\n]", between)

    def places(self, start: int) -> set[str]:
        field, place = self._field(start)
        head = field == "content" and place < self.ruleset.ruleset.zones.head_length
        return {field, "head"} if head else {field}

    def percent(self, start: int) -> int:
        zones = self.ruleset.ruleset.zones
        places = self.places(start)
        if "head" in places:
            return zones.head
        return {"institution": zones.institution, "title": zones.title, "content": zones.body}[places.pop()]

    def _field(self, start: int) -> tuple[str, int]:
        """The field of a folded place, and the place in its own text."""
        place = self.origins[start]
        for field in FIELDS:
            length = len(getattr(self.complaint, field))
            if place <= length:
                return field, place
            place -= length + 1
        raise AssertionError("every place lies in a field")


def _invisible(char: str) -> bool:
    """Whether a character shows nothing: format characters (soft hyphen, zero-width, direction), variation selectors of emoji."""
    if char in "\ufe0e\ufe0f":
        return True
    return unicodedata.category(char) == "Cf" and (char in "\u00ad\u061c\u180e\ufeff" or "\u2000" <= char <= "\u206f")


def _closing(text: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`; the end of the text where none does."""
    depth = 0
    for place, char in enumerate(text[start:], start):
        depth += {"【": 1, "】": -1}.get(char, 0)
        if depth == 0:
            return place + 1
    return len(text)
