"""A pack: all its files read as sheets, and the names that they define for each other."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.clocks import CalendarFile, ClocksFile
from models.incidents import IncidentsFile
from models.retention import RetentionFile
from models.ruleset import AliasesFile, CasesFile, ClausesFile, DepartmentsFile, IssuesFile, Rule, RuleSet, RulesetFile, RulesFile
from service.rulebook.layout import WORDS, belongs, kind_of, missing
from service.rulebook.mistakes import Mistake
from service.rulebook.sheet import Sheet
from service.rulebook.words import WordList, read_words

MAX_FILES = 200
MAX_TOTAL = 8_000_000
"""Characters of all files together."""


@dataclass(slots=True)
class Pack:
    """The sheets of a pack by file name, in the order of their names; its words; what is wrong with its folder as a whole."""

    sheets: dict[str, Sheet]
    words: WordList
    digest: str
    mistakes: list[Mistake] = field(default_factory=list)

    def rules(self) -> list[Sheet]:
        """The sheets that may hold rules and lists."""
        return [sheet for sheet in self.sheets.values() if issubclass(sheet.kind.model, RulesFile)]

    def cases(self) -> list[Sheet]:
        """The sheets of cases."""
        return [sheet for sheet in self.sheets.values() if sheet.kind.model is CasesFile]

    def all_mistakes(self) -> list[Mistake]:
        return [*self.mistakes, *self.words.mistakes, *(mistake for sheet in self.sheets.values() for mistake in sheet.mistakes)]


def read_pack(files: Mapping[str, str]) -> Pack:
    """Read every file as far as it can be read."""
    texts = canonical(files)
    pack = Pack({}, read_words(texts.get(WORDS, "")), digest(files))
    pack.mistakes = _refuse_bulk(texts) or _refuse_names(files)
    if not pack.mistakes or len(texts) <= MAX_FILES:
        for name, text in texts.items():
            if kind := kind_of(name):
                pack.sheets[name] = Sheet(name, kind, text)
    return pack


def cases_of(files: Mapping[str, str]) -> list[Sheet]:
    """The sheets of cases alone."""
    kinds = ((name, text, kind_of(name)) for name, text in canonical(files).items())
    return [Sheet(name, kind, text) for name, text, kind in kinds if kind and kind.model is CasesFile]


def _refuse_bulk(texts: Mapping[str, str]) -> list[Mistake]:
    if len(texts) > MAX_FILES:
        return [folder_mistake("too_many_files", f"规则包里有 {len(texts)} 个文件，至多 {MAX_FILES} 个", "请合并文件")]
    if sum(map(len, texts.values())) > MAX_TOTAL:
        return [folder_mistake("too_large", "规则包太大，所有文件加起来超过 8 MB", "请删减")]
    return []


def _refuse_names(files: Mapping[str, str]) -> list[Mistake]:
    """Files that a pack must have and that are not there; files that a pack has no use for."""
    lost = [
        folder_mistake("missing_file", f"规则包里缺少 {pattern}", "请补上这个文件；写法见随附的规则包", file=pattern)
        for pattern in missing(files)
    ]
    unknown = [
        Mistake(name, 1, 1, "", "", "unknown_file", "规则包里没有这种文件，不会被读入", _rename(name), "warning")
        for name in sorted(files)
        if not belongs(name)
    ]
    return lost + unknown


def _rename(name: str) -> str:
    if name.endswith(".yml") and belongs(name.removesuffix("yml") + "yaml"):
        return f"请改名为 {name.removesuffix('yml')}yaml"
    return "请检查文件名和所在的文件夹，或删掉它"


def folder_mistake(code: str, message: str, hint: str, *, file: str = ".") -> Mistake:
    """A mistake of the folder as a whole."""
    return Mistake(file, 1, 1, "", "", code, message, hint)


def canonical(files: Mapping[str, str]) -> dict[str, str]:
    """The files of the rule set by name, in order, without what makes no difference: line ends, trailing blanks, a byte order mark."""
    return {name: _plain(files[name]) for name in sorted(files) if belongs(name)}


def _plain(text: str) -> str:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).rstrip("\n") + "\n"


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over the canonical files: equal digests mean equal rule sets."""
    mark = hashlib.sha256()
    for name, text in canonical(files).items():
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            mark.update(len(data).to_bytes(8, "big") + data)
    return mark.hexdigest()


def assemble(pack: Pack, version: int) -> RuleSet:
    """The rule set that a pack without errors makes. Rules stand in the order of their ids, whatever file holds them."""
    models = [sheet.model for sheet in pack.sheets.values()]
    head = next(model for model in models if isinstance(model, RulesetFile))
    clauses = next(model for model in models if isinstance(model, ClausesFile))
    rules = [rule for model in models if isinstance(model, RulesFile) for rule in model.rules]
    return RuleSet(
        pack=head.pack,
        version=version,
        digest=pack.digest,
        ruleset=head,
        departments=next(model.departments for model in models if isinstance(model, DepartmentsFile)),
        documents=dict(clauses.documents),
        clauses=dict(clauses.clauses),
        issues=next(dict(model.issues) for model in models if isinstance(model, IssuesFile)),
        lists={name: words for model in models if isinstance(model, RulesFile) for name, words in sorted(model.lists.items())},
        rules=tuple(sorted(rules, key=_id)),
        aliases={alias: meaning for model in models if isinstance(model, AliasesFile) for alias, meaning in model.aliases.items()},
        words=pack.words.words,
        cases={name: sheet.model.cases for name, sheet in pack.sheets.items() if isinstance(sheet.model, CasesFile)},
        clocks=next((model for model in models if isinstance(model, ClocksFile)), None),
        incidents=next((model for model in models if isinstance(model, IncidentsFile)), None),
        retention=next((model for model in models if isinstance(model, RetentionFile)), None),
        calendar=tuple(model for model in models if isinstance(model, CalendarFile)),
    )


def _id(rule: Rule) -> str:
    return rule.id
