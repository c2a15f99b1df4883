"""`fenpai rules new | import | draft ...`: rules begun with their test, packs brought in, drafts that another person approves."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from service import rulebook, rulelife, show, store, usage
from service.commands.house import AsJson, Author, Note, code_of, opened, refused
from service.commands.terminal import Pack, as_text
from service.db import Database
from service.errors import StartError
from service.rulelife import DraftNotFound, approval, fresh, kept
from service.store import ApprovalRow, DraftRow

app = typer.Typer()
drafts = typer.Typer(cls=usage.Group, help="存在数据库里的草稿：交上去，请另一人批准。", rich_markup_mode=None)
drafts.callback(invoke_without_command=True)(usage.help_alone)
app.add_typer(drafts, name="draft")

Number = Annotated[str, typer.Argument(metavar="草稿", help="草稿编号，或它的开头几位")]
STATES = {"open": "未结束", "published": "已发布", "discarded": "已丢弃"}


# A new rule ---------------------------------------------------------------------------------------------------------------------


@app.command("new", cls=usage.Command)
def new_rule(
    rule: Annotated[str, typer.Argument(metavar="规则编号", help="例如 arts.handpan；开头与同类规则相同，就知道写在哪个文件、支持什么")],
    terms: Annotated[str, typer.Option(metavar="词语", help="词语，用逗号分开")] = "",
    name: Annotated[str, typer.Option(metavar="名称", help="给人看的名称，缺省为第一个词语")] = "",
    unless: Annotated[str, typer.Option(metavar="词语", help="包含误中词语的更长的词，遇到则不算")] = "",
    near: Annotated[str, typer.Option(metavar="词语", help="附近要有的词")] = "",
    within: Annotated[int, typer.Option(min=0, max=100, metavar="字数", help="附近是多少字之内")] = 12,
    strength: Annotated[str, typer.Option(metavar="强度", help="strong、medium 或 weak")] = "medium",
    status: Annotated[str, typer.Option(metavar="状态", help="trial 试用（看得见，不计分）或 active 启用")] = "trial",
    program: Annotated[bool, typer.Option("--program", help="词语是所教项目的名称，可以单说“学…”“…班”")] = False,
    category: Annotated[str, typer.Option(metavar="代码", help="支持哪一类；同类规则都一样时不必写")] = "",
    scope: Annotated[str, typer.Option(metavar="代码", help="支持哪种范围")] = "",
    issue: Annotated[str, typer.Option(metavar="代码", help="支持哪种问题")] = "",
    signal: Annotated[str, typer.Option(metavar="代码", help="支持哪种信号")] = "",
    clause: Annotated[str, typer.Option(metavar="条款", help="依据的条款；同类规则都一样时不必写")] = "",
    file: Annotated[str, typer.Option(metavar="文件", help="写在哪个文件，例如 categories/arts.yaml；看得出来时不必写")] = "",
    hits: Annotated[list[str] | None, typer.Option(metavar="诉求", help="应当命中的诉求，可写多次；不写则用规则的词语造一句")] = None,
    misses: Annotated[list[str] | None, typer.Option(metavar="诉求", help="不应命中的诉求，可写多次")] = None,
    pack: Pack = "beichen",
) -> None:
    """写一条新规则和它的用例：写在同类规则之后，注释和次序不动；有错误、用例不符都不写入。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    target = {key: value for key, value in zip(fresh.TARGETS, (category, scope, issue, signal), strict=True) if value}
    wish = fresh.Wish(
        id=rule.strip(),
        terms=_words(terms),
        name=name.strip(),
        unless=_words(unless),
        near=_words(near),
        within=within,
        strength=strength,
        status=status,
        program=program,
        target=target,
        clause=clause,
        file=file,
        hits=tuple(hits or ()),
        misses=tuple(misses or ()),
    )
    begun = fresh.begin(files, wish)
    for changed in (begun.file, begun.cases_file):
        (folder / changed).write_text(begun.files[changed], encoding="utf-8", newline="")
    _say(folder, begun, wish)


def _say(folder: Path, begun: fresh.Begun, wish: fresh.Wish) -> None:
    print(f"规则 {wish.id} 已写在 {folder / begun.file} 末尾。")
    told = "用例（用规则的词语造的，请换成真实的诉求）" if begun.invented else "用例"
    print(f"{told}已写在 {folder / begun.cases_file} 末尾：", *(f"  - {case}" for case in begun.cases), sep="\n")
    print(f"第一个诉求现在的研判：{begun.outcome}")
    if begun.program_family and not wish.program:
        print("如果词语是所教项目的名称，请加 --program 重写：别的规则才知道“学…”“…班”说的是培训。")
    if begun.warnings:
        print("提醒：", *(f"  {warning}" for warning in begun.warnings), sep="\n")
    if not any("not:" in case for case in begun.cases):
        print("还没有不应命中的用例；想一个容易误中的说法，写在旁边（not: [" + wish.id + "]）。")
    print(
        "接着：fenpai rules test，fenpai rules prove，fenpai rules impact" + ("；放心了把 status 改为 active。" * (wish.status == "trial"))
    )


def _words(text: str) -> tuple[str, ...]:
    """Words as officials separate them."""
    for mark in "，、;；":
        text = text.replace(mark, ",")
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


@app.command("import", cls=usage.Command)
def import_pack(
    source: Annotated[Path, typer.Argument(metavar="文件.zip|文件夹", help="规则包")],
    target: Annotated[Path, typer.Argument(metavar="文件夹", help="写到哪里：新的或空的文件夹")],
) -> None:
    """把别处来的规则包（zip 或文件夹）检查之后写成一个文件夹，可由 git 保管、再发布。只取规则包的文件，链接和指向外面的路径都不要。"""
    if not source.exists():
        raise StartError(f"找不到 {source}。")
    files = rulelife.read_source(source)
    mistakes = rulelife.check(files)
    errors = [mistake for mistake in mistakes if mistake.severity == "error"]
    rulelife.write_folder(files, target)
    print(*errors, sep="\n", end="\n" if errors else "")
    print(f"{len(files)} 个文件已写到 {target}（摘要 {rulebook.digest(files)[:12]}），{len(errors)} 处错误。")
    if errors:
        raise typer.Exit(1)


# Drafts -------------------------------------------------------------------------------------------------------------------------


@drafts.command("list", cls=usage.Command)
def list_drafts(
    state: Annotated[str, typer.Option(metavar="状态", help="open 未结束、published 已发布、discarded 已丢弃")] = "open",
    as_json: AsJson = False,
    pack: Pack = "beichen",
) -> None:
    """列出草稿：谁开的、谁改的、审批到哪一步。"""
    with opened() as database, database.read() as conn:
        rows = [(row, store.last_approval(conn, row.id)) for row in store.list_drafts(conn, code_of(pack), state, 500)]
    if as_json:
        print(as_text([_as_json(row, asked) for row, asked in rows]))
    else:
        show.out(_table(rows) if rows else "没有草稿。")


@drafts.command("push", cls=usage.Command)
def push(
    folder: Annotated[
        str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]", help="规则包：名称或文件夹")
    ] = "beichen",
    author: Author = "",
    title: Annotated[str, typer.Option(metavar="文字", help="打算改什么")] = "",
    into: Annotated[str, typer.Option(metavar="草稿", help="换掉这个草稿的文件；不写则新开一个")] = "",
) -> None:
    """把规则包文件夹交到数据库里成为草稿，供别人看、试算和审批；文件夹里的改动不会自动跟过去。"""
    who = named(author)
    files = {name: text for name, text in rulebook.read_folder(rulebook.find_pack(folder)).items() if rulebook.belongs(name)}
    draft = rulelife.read_draft(files) if not any(one.severity == "error" for one in rulelife.check(files)) else None
    code = draft.ruleset.pack if draft else code_of(folder)
    with opened() as database:
        held = held_in(database, code, into) if into else None
        base = rulelife.active_version(database, code)
        with database.write() as conn:
            now = datetime.now(UTC)
            if held is None:
                row = kept.open_draft(conn, kept.Beginning(code, title or "来自文件夹", kept.Person(who), base), files, now)
            else:
                row = kept.save(conn, held, files, kept.Person(who), now)
    print(f"草稿 {row.id}，第 {row.version} 稿（摘要 {row.digest[:12]}）。请人批准：fenpai rules draft ask {row.id} --author … --note …")
    if draft is None:
        print("注意：里面还有错误，fenpai rules check 列出全部。")


@drafts.command("pull", cls=usage.Command)
def pull(
    draft: Number, target: Annotated[Path, typer.Argument(metavar="文件夹", help="写到哪里：新的或空的文件夹")], pack: Pack = "beichen"
) -> None:
    """把一个草稿的文件写成文件夹。"""
    with opened() as database:
        held = held_in(database, code_of(pack), draft)
    rulelife.write_folder(held.files, target)
    print(f"草稿 {held.row.id} 的 {len(held.files)} 个文件已写到 {target}。")


@drafts.command("show", cls=usage.Command)
def show_draft(draft: Number, as_json: AsJson = False, pack: Pack = "beichen") -> None:
    """看一个草稿改了什么、审批到哪一步。"""
    with opened() as database:
        code = code_of(pack)
        held = held_in(database, code, draft)
        with database.read() as conn:
            asked = store.last_approval(conn, held.row.id)
        if as_json:
            print(as_text(_as_json(held.row, asked)))
            return
        in_force = rulelife.read_version(database, code, rulelife.active_version(database, code))
    show.out(_table([(held.row, asked)]))
    try:
        print(rulelife.told(rulelife.compare(in_force, rulelife.read_draft(held.files).ruleset)) or "规则没有变化。")
    except rulelife.DraftBroken as broken:
        print("\n".join(fault.detail for fault in broken.faults))
        raise refused(broken) from broken


@drafts.command("discard", cls=usage.Command)
def discard(draft: Number, author: Author = "", pack: Pack = "beichen") -> None:
    """丢弃一个草稿。"""
    who = named(author)
    with opened() as database:
        held = held_in(database, code_of(pack), draft)
        with database.write() as conn:
            kept.discard(conn, held.row, frozenset({held.row.version}), kept.Person(who), datetime.now(UTC))
    print(f"草稿 {held.row.id} 已丢弃。")


@drafts.command("ask", cls=usage.Command)
def ask(draft: Number, author: Author = "", note: Note = "", pack: Pack = "beichen") -> None:
    """请另一人批准草稿现在的内容。"""
    _step(draft, author, note, pack, "asked")


@drafts.command("approve", cls=usage.Command)
def approve(draft: Number, author: Author = "", note: Note = "", pack: Pack = "beichen") -> None:
    """批准别人请求审批的草稿；请求的人、改过的人不能批准。"""
    _step(draft, author, note, pack, "approved")


@drafts.command("refuse", cls=usage.Command)
def refuse(draft: Number, author: Author = "", note: Note = "", pack: Pack = "beichen") -> None:
    """不批准，写明理由。"""
    _step(draft, author, note, pack, "refused")


@drafts.command("withdraw", cls=usage.Command)
def withdraw(draft: Number, author: Author = "", note: Note = "", pack: Pack = "beichen") -> None:
    """撤回审批请求。"""
    _step(draft, author, note, pack, "withdrawn")


def _step(draft: str, author: str, note: str, pack: str, decision: str) -> None:
    who, words = named(author), note.strip()
    if not words:
        raise StartError("请用 --note 写明说明或理由。")
    with opened() as database:
        held = held_in(database, code_of(pack), draft)
        said = approval.Said(kept.Person(who), words, frozenset({held.row.version}))
        with database.write() as conn:
            now = datetime.now(UTC)
            step = approval.ask(conn, held.row, said, now) if decision == "asked" else approval.decide(conn, held.row, said, decision, now)
    print(f"草稿 {held.row.id}：{approval.NAMES[step[1].state]}（{who}）。")


def held_in(database: Database, pack: str, number: str) -> kept.Held:
    """The draft whose number begins so; the open ones first."""
    wanted = number.strip().upper()
    with database.read() as conn:
        rows = [row for state in STATES for row in store.list_drafts(conn, pack, state, 500) if row.id.startswith(wanted)]
        whole = [row for row in rows if row.id == wanted] or rows
        if len(whole) != 1 or not wanted:
            told = f"{number} 可以是好几个草稿" if whole else f"没有编号为 {number} 的草稿"
            raise DraftNotFound(f"{told}；fenpai rules draft list 列出全部。")
        return kept.read(conn, pack, whole[0].id)


def named(author: str) -> str:
    """Who does it; he must say so."""
    who = author.strip()
    if not who:
        raise StartError("请用 --author 写明谁做的。")
    return who


def _as_json(row: DraftRow, asked: ApprovalRow | None) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("id", "title", "base", "version", "state", "digest", "author", "editors", "updated_at")}
    return told | {"approval": asked and {"state": asked.state, "asked_by": asked.asked_by, "decided_by": asked.decided_by}}


def _table(rows: list[tuple[DraftRow, ApprovalRow | None]]) -> Table:
    table = show.listing("草稿", "标题", "由", "稿", "状态", "谁改过", "最近改动", "审批", "摘要", whole=("草稿", "最近改动", "摘要"))
    for row, asked in rows:
        when = show.at(row.updated_at)
        said = "" if asked is None else approval.NAMES[asked.state] + ("" if asked.digest == row.digest else "（之后又改过）")
        state, editors = STATES[row.state], "、".join(row.editors)
        table.add_row(row.id, row.title, str(row.base or ""), str(row.version), state, editors, when, said, row.digest[:12])
    return table
