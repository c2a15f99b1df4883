"""Terms that are never met: cancelled, eaten by a longer word, or only met where they stand alone."""

from collections.abc import Iterator
from itertools import islice

from models.complaint import Complaint
from models.ruleset import Expectation
from service.engine.plan import PlannedRule
from service.prover.findings import Finding, Kind, Witness
from service.prover.sentences import ALONE, STEPS, Stage
from service.rulebook.borders import NATURAL
from service.ruletest.bench import Bench
from service.ruletest.reasons import why_not
from service.ruletest.trial import Sample

SAMPLES = 12
"""Plain terms of a written one with lists that are tried first; where one of them is met, the written one is alive."""
SPARE_WAYS = 40
"""Other frames that are tried for a term which the frame of its rule's first term does not suit."""


def dead_terms(stage: Stage, bench: Bench) -> Iterator[Finding]:
    """Every written term that no sentence of ours lets fire, by rule."""
    for planned in stage.rules(STEPS["dead_terms"]):
        if planned.order in stage.firing:
            for written in stage.written(planned).terms:
                words = stage.expanded(written)
                if not any(_natural(stage, planned, word) for word in _some_first(words)):
                    yield _verdict(stage, bench, planned, written, words)


def _some_first(words: tuple[str, ...]) -> tuple[str, ...]:
    """The same words, a spread sample in front."""
    step = max(len(words) // SAMPLES, 1)
    return (*words[::step], *words) if step > 1 else words


def _natural(stage: Stage, planned: PlannedRule, word: str) -> Complaint | None:
    """A sentence as callers speak in which a term is met."""
    frames = (ALONE,) if planned.loose else NATURAL
    return _met(stage, planned, word, frames)


def _met(stage: Stage, planned: PlannedRule, word: str, frames: tuple[str, ...]) -> Complaint | None:
    own = stage.way[planned.order]
    for way in (own, *islice(stage.ways(planned), SPARE_WAYS)):
        for frame in frames:
            if stage.fires(planned, said := way.around(frame.format(word)), word):
                return said
    return None


def _verdict(stage: Stage, bench: Bench, planned: PlannedRule, written: str, words: tuple[str, ...]) -> Finding:
    """What is wrong with a term that is not met in natural sentences."""
    tried = "、".join(frame.format(written) for frame in NATURAL[:6]) + f"等 {len(NATURAL)} 种说法"
    for word in words if not planned.loose else ():
        if alone := _met(stage, planned, word, (ALONE,)):
            shown = stage.way[planned.order].around(NATURAL[0].format(word))
            return Finding(
                Kind.BORDER_TERM,
                planned.id,
                written,
                f"「{written}」只在前后都断开时命中（如“{said(alone)}”），放进句子里就被分词切断",
                "请把来话里的完整说法写进 terms，或设 loose: true",
                stage.witness(shown),
                tried,
            )
    shown = stage.way[planned.order].around(words[0])
    why = (
        reason(bench, shown, planned.id)
        if not stage.fires(planned, shown)
        else f"被本规则的其他设置挡住，命中的是别的词{_eaten(stage, words[0])}"
    )
    return Finding(
        Kind.DEAD_TERM,
        planned.id,
        written,
        f"「{written}」永远不会命中：{why}",
        "请从 terms 里删掉它，或改正挡住它的设置",
        stage.witness(shown),
        tried,
    )


def _eaten(stage: Stage, word: str) -> str:
    """How jieba cuts a word, where it does not keep it whole."""
    tokens = stage.plan.cutter.cut(word)
    return f"（分词：{'/'.join(tokens)}）" if len(tokens) > 1 else ""


def reason(bench: Bench, complaint: Complaint, rule: str) -> str:
    """Why a rule does not fire in a sentence."""
    case = Expectation.model_construct(
        text=complaint.content, title=complaint.title, institution=complaint.institution, asserted_scope=False, not_hits=(), hits=()
    )
    return why_not(bench, bench.ready(Sample("", 0, 0, case)), rule)


def said(complaint: Complaint) -> str:
    """The words of a sentence, field by field."""
    return "｜".join(part for part in (complaint.institution, complaint.title, complaint.content) if part)


TALK = (
    "孩子学{}，机构不退费", "孩子的{}班，机构不退费", "给孩子报{}课，机构不退费", "孩子跟机构学{}，老师不退费", "给孩子报了{}，机构不退费",
    "孩子在机构上{}课，不退费", "机构教孩子{}，不退费", "{}培训机构不给孩子退费", "孩子在学{}，机构不退费", "机构开{}班，不给孩子退费",
)  # fmt: skip
"""Plain sentences about one program: what is taught in them is beyond doubt."""
TAUGHT = ("学", "练")
"""Programs that are named by a verb (学舞, 练琴): nobody says that an institution opens such a class."""


def lost_programs(stage: Stage) -> Iterator[Finding]:
    """Programs of which callers speak plainly and that still do not count for their category: some longer word has eaten them."""
    for planned in stage.rules(STEPS["lost_programs"]):
        rule = stage.written(planned)
        if rule.program and rule.category and not planned.trial:
            for word in (stage.expanded(term)[0] for term in rule.terms if "{" not in term):
                frames = TALK[:2] if word.startswith(TAUGHT) else TALK
                sentences = [Complaint(frame.format(word)) for frame in frames]
                if lost := [each for each in sentences if not _counts(stage, planned, each)]:
                    yield _lost(stage, planned, word, lost)


def _counts(stage: Stage, planned: PlannedRule, sentence: Complaint) -> bool:
    """Whether the category of a program is among those that a sentence is about."""
    return planned.code in {category.code for category in stage.triage(sentence).categories}


def _lost(stage: Stage, planned: PlannedRule, word: str, sentences: list[Complaint]) -> Finding:
    witness = stage.witness(sentences[0])
    decision = witness.decision
    evidence = "、".join(f"{piece.rule}「{piece.quote}」" for piece in decision.evidence[:4])
    what, hint = _loss(stage, planned, word, witness)
    if decision.lead is None:
        what = f"退回热线（{decision.reason_code.value}），依据：{evidence or '无'}"
    elif any(piece.supports == planned.supports for piece in decision.evidence):
        what = f"没有算作 {planned.code}，依据：{evidence}"
    more = f"；另有 {len(sentences) - 1} 种说法也是这样，如“{sentences[1].content}”" if len(sentences) > 1 else ""
    return Finding(Kind.LOST, planned.id, word, f"“{sentences[0].content}”说的是「{word}」，却{what}{more}", hint, witness)


def _loss(stage: Stage, planned: PlannedRule, word: str, witness: Witness) -> tuple[str, str]:
    """What has eaten a program's name: an alias, or a word of the tokeniser; and how to mend it."""
    sentence = witness.complaint.content
    text = stage.plan.reader.read(witness.complaint).text.strip()
    if word not in text:
        for alias, meaning in stage.ruleset.aliases.items():
            if alias in sentence and meaning in text:
                hint = f"请从 aliases.yaml 里删掉 {alias}，或把它写长"
                return f" {planned.code} 一条依据也没有：{alias} 先按 aliases.yaml 换成了 {meaning}", hint
    cut = stage.plan.cutter.cut(text.split("，")[0])
    start = text.find(word)
    before = next((text[at:start] for at in _starts(cut) if at < start < at + len(_token(cut, at))), "")
    phrase = f"{before}{{{planned.code}}}{text[start + len(word) : start + len(word) + 1].strip('，')}"
    what = f" {planned.code} 一条依据也没有（分词：{'/'.join(cut)}）"
    return what, f'请在 {planned.code} 类的规则里补上这种说法，如 terms: ["{phrase}"]'


def _starts(cut: list[str]) -> list[int]:
    """The places where tokens begin."""
    return [sum(map(len, cut[:number])) for number in range(len(cut))]


def _token(cut: list[str], start: int) -> str:
    return cut[_starts(cut).index(start)]
