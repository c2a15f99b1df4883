"""Rules that never fire, rules that never matter, and conditions that never hold."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from models.complaint import Complaint
from models.ruleset import Rule
from service.engine.plan import Plan, PlannedRule
from service.prover.findings import Finding, Kind
from service.prover.sentences import STEPS, Stage, joined
from service.prover.terms import reason, said
from service.ruletest.bench import Bench
from service.ruletest.trial import Seen

FILLER = "情况说明如下" * 25
"""Words that no rule looks for, so that what follows stands late in the text."""
FEW = 5
"""Phrases of a rule that are tried beside every other rule."""
MOST_PHRASES = 400
"""Sentences of one rule that are tried before it is called idle."""


def dead_rules(stage: Stage, bench: Bench) -> Iterator[Finding]:
    """Rules that no sentence of ours lets fire, each with the condition that is in the way."""
    for planned in stage.plan.rules:
        if planned.order not in stage.firing:
            words = [stage.expanded(term)[0] for term in stage.written(planned).terms[:4]]
            sentences = [way.around(word) for way in islice(stage.ways(planned), 100) for word in words]
            kind, what, shown = _hindrance(stage, bench, planned, sentences)
            tried = "它的词语与 near、needs、in 的各种搭配"
            yield Finding(
                kind, planned.id, "", f"这条规则永远不会命中：{what}", "请改正这一项，或停用这条规则", stage.witness(shown), tried
            )


def _hindrance(stage: Stage, bench: Bench, planned: PlannedRule, sentences: list[Complaint]) -> tuple[Kind, str, Complaint]:
    """Which condition keeps a rule from ever firing, and a sentence that it alone holds back."""
    rule = stage.written(planned)
    if planned.needs is not None and not any(order in stage.firing for order in planned.needs):
        return Kind.DEAD_NEEDS, f"needs 里的 {'、'.join(rule.needs)} 没有一个会命中", sentences[0]
    unless = [("unless", planned.order, number) for number, role in enumerate(stage.plan.roles) if planned.order in role.unless]
    lifts: tuple[tuple[Kind, Plan, str], ...] = (
        (Kind.CANCELLED_RULE, bench.without(unless), "每个词语都被它自己的 unless 取消"),
        (
            Kind.DEAD_BLOCK,
            bench.with_rule(replace(planned, blocked_by=frozenset())),
            f"总被 blocked_by 里的 {'、'.join(rule.blocked_by)} 挡住",
        ),
        (Kind.DEAD_NEAR, bench.with_rule(replace(planned, within=None)), "near 永远不满足"),
    )
    for kind, plan, what in lifts:
        for sentence in sentences:
            if stage.would_fire(plan, planned, sentence):
                return kind, what, sentence
    return Kind.DEAD_RULE, reason(bench, sentences[0], planned.id), sentences[0]


def idle_conditions(stage: Stage, bench: Bench) -> Iterator[Finding]:
    """Frame words, needs, blocks and exclusions that make no difference in any sentence of ours."""
    for planned in stage.rules(STEPS["idle_conditions"]):
        if planned.order in stage.firing:
            rule = stage.written(planned)
            yield from _idle_near(stage, planned, rule)
            yield from _idle_needs(stage, planned, rule)
            yield from _idle_blocks(stage, planned, rule)
            yield from _idle_unless(stage, bench, planned, rule)


def _idle_near(stage: Stage, planned: PlannedRule, rule: Rule) -> Iterator[Finding]:
    """Frame words beside which none of the rule's terms counts."""
    for written in rule.near.words if rule.near else ():
        alone = rule.model_copy(update={"near": rule.near.model_copy(update={"words": (written,)})}) if rule.near else rule
        terms = [stage.expanded(term)[0] for term in rule.terms][:12]
        behind = stage.way[planned.order]
        sentences = [replace(behind, before=before, after=after).around(term) for before, after in stage.frames(alone) for term in terms]
        if not any(stage.fires(planned, sentence) for sentence in sentences):
            tried = f"「{written}」紧挨着或隔一个逗号，与前 {len(terms)} 个词语搭配，共 {len(sentences)} 句"
            message = f"near 里的「{written}」从不让规则命中"
            yield Finding(Kind.IDLE_NEAR, planned.id, written, message, "请改正或删掉它", stage.witness(sentences[0]), tried)


def _idle_needs(stage: Stage, planned: PlannedRule, rule: Rule) -> Iterator[Finding]:
    for name in rule.needs if planned.needs else ():
        orders = [each.order for each in stage.plan.rules if name in (each.id, each.supports)]
        if not any(order in stage.firing for order in orders):
            message = f"needs 里的 {name} 没有会命中的规则"
            witness = stage.witness(stage.firing[planned.order])
            yield Finding(Kind.IDLE_NEED, planned.id, name, message, "请启用那条规则，或从 needs 里删掉它", witness, "那些规则的所有搭配")


def _idle_blocks(stage: Stage, planned: PlannedRule, rule: Rule) -> Iterator[Finding]:
    """Names in `blocked_by` that let the rule fire beside them, or that nothing answers to."""
    own = stage.firing[planned.order]
    for name in rule.blocked_by:
        blockers = [each for each in stage.plan.rules if name in (each.id, each.supports) and each.order in stage.firing]
        both = [joined(own, stage.firing[each.order]) for each in blockers]
        if all(stage.fires(planned, sentence) for sentence in both):
            shown = both[0] if both else own
            message = f"blocked_by 里的 {name} 从不挡住它" + ("" if blockers else "：没有会命中的规则")
            tried = "两条规则各自的句子连在一起"
            yield Finding(Kind.IDLE_BLOCK, planned.id, name, message, "请改正或删掉它", stage.witness(shown), tried)


def _idle_unless(stage: Stage, bench: Bench, planned: PlannedRule, rule: Rule) -> Iterator[Finding]:
    """Exclusions without which nothing more would be met: the borders of tokens keep those words apart anyway."""
    terms = tuple({plain for written in rule.terms for plain in stage.expanded(written)})
    for written in rule.unless:
        if "{" not in written:
            word = stage.expanded(written)[0]
            numbers = [("unless", planned.order, number) for number, each in enumerate(stage.plan.patterns) if each == word]
            without = bench.without(numbers)
            sentences = [stage.way[planned.order].around(text) for text in _overlapping(word, terms)]
            if not any(stage.would_fire(without, planned, each) and not stage.fires(planned, each) for each in sentences):
                message = f"unless 里的「{written}」没有取消过任何命中：{_why_idle(stage, rule, word)}，去掉它也一样"
                tried = f"与本规则词语的 {len(sentences)} 种重叠，如“{said(sentences[0])}”"
                yield Finding(
                    Kind.IDLE_UNLESS, planned.id, written, message, "可以删掉；或检查是否写错", stage.witness(sentences[0]), tried
                )


def _why_idle(stage: Stage, rule: Rule, word: str) -> str:
    """What does the work of an idle exclusion."""
    others = [(written, plain) for written in rule.unless for plain in stage.expanded(written)]
    for written, plain in others:
        if plain == word and "{" in written:
            return f"{written} 里已有同样的词"
        if plain != word and plain in word:
            return f"已有更短的「{plain}」"
    cut = stage.plan.cutter.cut(word)
    return f"分词 {'/'.join(cut)} 本来就不会命中" if not rule.loose and len(cut) < len(word) else "别的条件已经挡住"


def _overlapping(word: str, terms: tuple[str, ...]) -> list[str]:
    """Texts in which an exclusion stands over a term: alone, in a sentence, and running on into a term's rest."""
    texts = [word, f"孩子{word}了", f"在{word}", f"{word}班", f"{word}的课"]
    for term in terms:
        for size in range(1, min(len(word), len(term))):
            if word.endswith(term[:size]):
                texts.append(word + term[size:])
            if term.endswith(word[:size]):
                texts.append(term[:-size] + word)
    return list(dict.fromkeys(texts))[:200]


def idle_rules(stage: Stage, bench: Bench) -> Iterator[Finding]:
    """Rules whose hits have changed no decision: others say the same, more strongly, wherever they fire."""
    backdrop = Backdrop(stage)
    heard = _heard(stage)
    for planned in stage.rules(STEPS["idle_rules"]):
        if planned.order in stage.firing and not planned.trial and planned.order not in heard:
            silent = bench.with_rule(replace(planned, trial=True))
            sentences = list(backdrop.sentences(planned))[: MOST_PHRASES * 8]
            if all(_same(stage, bench, silent, sentence) for sentence in sentences):
                shown = sentences[0]
                others = sorted({hit.rule.id for hit in stage.hits(shown) if hit.rule.supports == planned.supports} - {planned.id})
                message = f"它的命中从未改变过研判{'：同时命中的还有 ' + '、'.join(others) if others else ''}"
                tried = f"{len(sentences)} 句，带与不带校外培训、各类别、各退回理由的背景"
                yield Finding(
                    Kind.IDLE_RULE, planned.id, "", message, "请并入另一条规则，或提高它的强度，或删掉它", stage.witness(shown), tried
                )


def _heard(stage: Stage) -> set[int]:
    """Rules that matter without points: those that others need or are blocked by, when those others matter."""
    return {order for planned in stage.plan.rules for order in (*(planned.needs or ()), *planned.blocked_by)} | {
        planned.order for planned in stage.plan.rules if planned.supports in ("signal:emergency", "signal:urgent")
    }


def _same(stage: Stage, bench: Bench, silent: Plan, sentence: Complaint) -> bool:
    """Whether a sentence comes to the same without the weight of a rule."""
    stage.play()
    reading = stage.plan.reader.read(sentence)
    return _outcome(bench.judged(sentence, reading, stage.plan)) == _outcome(bench.judged(sentence, reading, silent))


def _outcome(came: Seen) -> Seen:
    return replace(came, fired=frozenset())


class Backdrop:
    """What may stand around a rule's sentence: that it is about training, which category, what speaks against it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        by_support: dict[str, Complaint] = {}
        for planned in stage.plan.rules:
            if planned.order in stage.firing and planned.points and not planned.needs:
                by_support.setdefault(planned.supports, stage.firing[planned.order])
        self._inside = by_support.get("scope:in", Complaint("校外培训"))
        self._categories = [said_ for supports, said_ in by_support.items() if supports.startswith("category:")]
        self._against = [said_ for supports, said_ in by_support.items() if supports.startswith("scope:") and supports != "scope:in"]

    def sentences(self, planned: PlannedRule) -> Iterator[Complaint]:
        """A rule's phrases, each alone and before every backdrop, early and late in the text."""
        for number, phrase in enumerate(self.phrases(planned)):
            yield from self.around(phrase)
            if number < FEW:
                yield from self.beside_others(phrase)

    def beside_others(self, phrase: Complaint) -> Iterator[Complaint]:
        """A phrase with each other rule's sentence: a weak rule may be the straw that tips the scale."""
        for order in sorted(self._stage.firing):
            both = joined(phrase, self._stage.firing[order])
            yield both
            yield joined(both, self._inside)
            yield from (joined(joined(both, self._inside), category) for category in self._categories)

    def around(self, phrase: Complaint) -> Iterator[Complaint]:
        yield phrase
        yield joined(phrase, self._inside)
        for category in self._categories:
            taught = joined(phrase, category)
            yield taught
            yield joined(taught, self._inside)
            yield joined(Complaint(FILLER), joined(joined(self._inside, category), phrase))
        for against in self._against:
            yield joined(joined(phrase, self._inside), against)

    def phrases(self, planned: PlannedRule) -> Iterator[Complaint]:
        """Sentences in which a rule fires, one for each of its terms, as far as the frame of the first suits them."""
        stage, rule = self._stage, self._stage.written(planned)
        words = list(dict.fromkeys(plain for written in rule.terms for plain in stage.expanded(written)))
        step = max(len(words) // MOST_PHRASES, 1)
        yield stage.firing[planned.order]
        for word in words[::step]:
            if stage.fires(planned, sentence := stage.way[planned.order].around(word)):
                yield sentence
