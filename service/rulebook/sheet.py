"""A sheet: one file of a pack, read as far as it can be, with all that is wrong in it."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.rulebook.layout import KEYS, Kind
from service.rulebook.mistakes import Loc, Mistake, Severity, Words, dotted
from service.rulebook.nodes import Node
from service.rulebook.reading import read
from service.rulebook.shape import keys_of
from service.rulebook.slips import Flaw
from service.rulebook.wording import said, said_of_key

MAX_SIZE = 1_000_000
"""Bytes of one file; a real one stays under 100,000."""
LOST = ("alias", "bad_key", "merge_key")
"""Flaws through which a value is lost: what pydantic would say about the hole only confuses."""
FORMS = ("pattern", "wide_quotes")
"""Complaints about the form of a code, which may be followed by a better one: that it names nothing."""


def _first_of_each(flaws: Iterable[Flaw]) -> Iterator[Flaw]:
    """The flaws, of lines that do not join on only the first in each thing: a quote that is not closed parts all lines behind it."""
    seen: set[Loc] = set()
    for flaw in flaws:
        if flaw.code != "indent" or flaw.loc not in seen:
            yield flaw
        if flaw.code == "indent":
            seen.add(flaw.loc)


class Sheet:
    """One YAML file: its nodes, its model where it is sound, and its mistakes. `whole` is False where a part could not be read."""

    def __init__(self, name: str, kind: Kind, text: str) -> None:
        self.name = name
        self.kind = kind
        self.model: BaseModel | None = None
        self.root = Node(1, 1)
        self.whole = False
        self._noted: list[Mistake] = []
        self._withdrawn: set[Mistake] = set()
        self._forms: dict[tuple[int, int], Mistake] = {}
        self._read(text)

    @property
    def mistakes(self) -> list[Mistake]:
        """Everything that is wrong with this file, as far as it is known."""
        return [mistake for mistake in self._noted if mistake not in self._withdrawn]

    def _read(self, text: str) -> None:
        if len(text.encode("utf-8", "surrogatepass")) > MAX_SIZE:
            self.report((), ("too_large", f"文件太大，超过 {MAX_SIZE // 1_000_000} MB", "请分成几个文件"), at=self.root)
            return
        reading = read(text, KEYS)
        self.whole = reading.whole
        self.root = reading.root or self.root
        for flaw in _first_of_each(reading.flaws):
            self._report_flaw(flaw)
        if reading.root is not None and reading.root.entries is not None:
            self._validate(tuple(flaw.loc for flaw in reading.flaws if flaw.code in LOST))
        elif reading.whole:
            self._refuse_shape()

    def _refuse_shape(self) -> None:
        self.whole = False
        if self.root.text is None and self.root.items is None:
            self.report((), ("empty_file", "文件是空的", "请补上内容，或删掉这个文件"))
        else:
            self.report((), ("not_map", "文件须由「字段: 值」组成", f"第一层可以写：{'、'.join(keys_of(self.kind.model))}"))

    def _validate(self, lost: tuple[Loc, ...]) -> None:
        try:
            model = self.kind.model.model_validate(self.root.plain())
        except ValidationError as error:
            details = error.errors(include_url=False)
            for detail in details:
                if not self._is_hole(detail, lost) and not self._is_misspelt(detail, details):
                    self._report_error(detail["loc"], detail)
            return
        if self.whole and not self._noted:
            self.model = model

    def _is_hole(self, detail: ErrorDetails, lost: tuple[Loc, ...]) -> bool:
        """Whether pydantic only complains about what a told flaw took away, or counts sound items only where others are told as unsound."""
        node = self.root.at(detail["loc"])
        if detail["type"] == "too_short" and sum(1 for _ in node.children()) >= detail["ctx"]["min_length"]:
            return True
        holed = not self.whole or any(detail["loc"][: len(loc)] == loc for loc in lost)
        return holed and (detail["type"] in ("missing", "too_short") or node.is_empty())

    def _is_misspelt(self, detail: ErrorDetails, all_: list[ErrorDetails]) -> bool:
        """Whether what is missing stands there under a name too many, which is told with what was meant."""
        if detail["type"] != "missing":
            return False
        *place, field = detail["loc"]
        beside = (other for other in all_ if other["type"] == "extra_forbidden" and list(other["loc"][:-1]) == place)
        return any(f"您是否想写 {field}？" in said(other, self.root, self.kind.model)[2] for other in beside)

    def _report_error(self, loc: Loc, detail: ErrorDetails) -> None:
        if loc and loc[-1] == "[key]":
            self.report(loc[:-1], said_of_key(detail), at=self.root.key_at(loc[:-1]))
        elif detail["type"] == "extra_forbidden":
            self.report(loc, said(detail, self.root, self.kind.model), at=self.root.key_at(loc))
        else:
            self.report(loc, said(detail, self.root, self.kind.model))

    def _report_flaw(self, flaw: Flaw) -> None:
        self.report(flaw.loc, (flaw.code, flaw.message, flaw.hint), at=Node(flaw.line, flaw.column))

    def report(self, loc: Loc, words: Words, *, at: Node | None = None, severity: Severity = "error") -> None:
        """Note a mistake at a way into this file; it stands at the value there unless `at` says otherwise."""
        node = at or self.root.at(loc)
        mistake = Mistake(self.name, node.line, node.column, dotted(loc), self.rule_at(loc), *words, severity=severity)
        self._noted.append(mistake)
        if mistake.code in FORMS:
            self._forms[node.line, node.column] = mistake

    def say_better(self, loc: Loc, words: Words) -> None:
        """Note a mistake, and withdraw what pydantic said about the form of the same value: this says more."""
        node = self.root.at(loc)
        said = self._forms.get((node.line, node.column))
        if said is not None and said.code == "wide_quotes":
            return
        if said is not None:
            self._withdrawn.add(said)
        self.report(loc, words)

    def warn(self, loc: Loc, words: Words) -> None:
        """Note what is allowed but looks wrong."""
        self.report(loc, words, severity="warning")

    def rule_at(self, loc: Loc) -> str:
        """The id of the rule that a way leads into; empty outside the rules."""
        if len(loc) < 2 or loc[0] != "rules":
            return ""
        named = self.root.at(loc[:2]).child("id")
        return named.text or "" if named else ""

    def walk(self, pattern: str) -> Iterator[tuple[Loc, Node]]:
        """Every value that a dotted pattern leads to: `rules.*.clause`."""
        return self.root.walk(tuple(pattern.split(".")))
