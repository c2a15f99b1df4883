"""The command line `fenpai`. Thin: read what was typed, call the house, print; ends with 0 fine, 1 mistakes found, 2 cannot run."""

import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from typer.exceptions import TyperException

from models.complaint import Complaint, ComplaintIn
from models.decision import Outcome
from models.register import ImportQuery, RowFault
from service import app as house
from service import (
    batch,
    clerk,
    db,
    demo,
    drafting,
    groups,
    locksmith,
    post,
    press,
    prover,
    register,
    repair,
    rulebook,
    ruletest,
    show,
    usage,
)
from service import work as dispatching
from service.config import Settings
from service.engine import Engine
from service.engine.register import Register
from service.errors import FenpaiError, StartError
from service.evaluate import calibration, gold, report, summary
from service.evaluate.figures import measure

INTERRUPTED = 130
"""What typer ends with after Ctrl-C."""
MOST_MISTAKES = 50
"""More mistakes than this are counted, not printed; all stand in the output."""

app = typer.Typer(
    name="fenpai",
    cls=usage.Group,
    help="分派：把校外培训投诉分派给主管部门，并逐条说明理由。",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
rules = typer.Typer(cls=usage.Group, help="检查、测试、比较、发布规则包。", rich_markup_mode=None)
rules.add_typer(press.app)
rules.add_typer(clerk.app)
rules.add_typer(drafting.app)
app.add_typer(press.cases, name="cases")
app.add_typer(rules, name="rules")
app.add_typer(post.app, name="deliveries")
app.add_typer(locksmith.app, name="keys")
app.add_typer(groups.app, name="incidents")
app.command("duplicates", cls=usage.Command)(groups.show_duplicates)
database = typer.Typer(cls=usage.Group, help="管理数据库。", rich_markup_mode=None)
app.add_typer(database, name="db")
institutions = typer.Typer(cls=usage.Group, help="导入、导出、查询机构名录。", rich_markup_mode=None)
app.add_typer(institutions, name="institutions")

Pack = Annotated[str, typer.Option("--pack", envvar="FENPAI_PACK", metavar="规则包", help="规则包：名称或文件夹")]


@app.callback(invoke_without_command=True)
def _top(context: typer.Context, shown: Annotated[bool, typer.Option("--version", help="显示版本")] = False) -> None:
    if shown:
        print(f"fenpai {version('fenpai')}")
        raise typer.Exit
    _help_alone(context)


@rules.callback(invoke_without_command=True)
@database.callback(invoke_without_command=True)
@institutions.callback(invoke_without_command=True)
@post.app.callback(invoke_without_command=True)
@locksmith.app.callback(invoke_without_command=True)
@groups.app.callback(invoke_without_command=True)
@clerk.beside.callback(invoke_without_command=True)
def _help_alone(context: typer.Context) -> None:
    """What can be done, where no command says what to do."""
    if context.invoked_subcommand is None:
        print(context.get_help())


# The service --------------------------------------------------------------------------------------------------------------------


@app.command(cls=usage.Command)
def serve(
    host: Annotated[str | None, typer.Option(metavar="地址", help="监听地址，缺省 FENPAI_HOST 或 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(metavar="端口", help="监听端口，缺省 FENPAI_PORT 或 8360")] = None,
) -> None:
    """提供 HTTP 接口，直到被停止。设置见环境变量 FENPAI_*。"""
    house.serve(Settings.from_env(os.environ, host=host, port=port), _serving)


def _serving(address: str, locked: bool = True) -> None:
    print(f"fenpai 正在提供服务：{address}（接口说明 {address}/docs）。按 Ctrl-C 结束。", flush=True)
    if not locked:
        print("还没有接口钥匙：只接受本机的请求，且不问是谁。发第一把钥匙：fenpai keys create --name 管理员 --scope admin", flush=True)


@app.command(cls=usage.Command)
def work() -> None:
    """只送达，不提供接口：与任意多个 fenpai serve、fenpai work 共用一个 PostgreSQL。设置见环境变量 FENPAI_*。"""
    dispatching.work(Settings.from_env(os.environ), lambda: print("fenpai 正在送达。按 Ctrl-C 结束。", flush=True))


@app.command("demo", cls=usage.Command)
def demonstrate(
    stay: Annotated[bool, typer.Option("--serve", help="打印结果后继续提供服务")] = False,
    file: Annotated[str, typer.Option("--database", metavar="文件", help="演示用的 SQLite 文件")] = "fenpai-demo.db",
) -> None:
    """启动真的服务，经接口送入示例工单，打印每件的研判与依据。"""
    settings = Settings.from_env(os.environ, database_url=f"sqlite:///{file}")
    folder = rulebook.find_pack(settings.folder)
    lines = demo.orders(folder)
    console = Console()
    with demo.serving(settings) as (client, server):
        listed = demo.bring_register(client, folder)
        with show.progress("送入示例工单", len(lines)) as advance:
            sent = demo.send(client, lines, advance)
        known = demo.names(client)
        console.print(demo.decisions(sent, known), demo.totals(sent, known))
        if listed:
            print(f"研判前已导入示例名录：{listed} 家机构（fenpai institutions 可导入、导出、查询）。")
        if known.digest != rulebook.digest(rulebook.read_folder(folder)):
            print(f"注意：{folder} 改过了，{file} 里还是原来的规则。要看新规则的结果，请删掉 {file} 再来一次。")
        if stay:
            _serving(str(client.base_url))
            with suppress(KeyboardInterrupt):
                server.wait()
    if not all(item.taken for item in sent):
        raise typer.Exit(1)


@app.command(cls=usage.Command)
def openapi() -> None:
    """输出接口的 OpenAPI 文档（YAML）。"""
    print(house.openapi(), end="")


@database.command("upgrade", cls=usage.Command)
def upgrade_database() -> None:
    """把数据库结构升级到本程序所需的版本；新库则建表。"""
    with closing(db.connect(Settings.from_env(os.environ).database_url)) as opened:
        before = db.revision(opened)
        db.upgrade(opened)
        after = db.revision(opened)
    print(f"数据库已是最新（{after}）。" if before == after else f"数据库已升级：{before or '空'} -> {after}。")


# One complaint or many ----------------------------------------------------------------------------------------------------------


@app.command(cls=usage.Command)
def triage(
    what: Annotated[str | None, typer.Argument(metavar="[文字|文件|-]", help="一段诉求，或一个 JSONL 文件，或 -（标准输入）")] = None,
    source: Annotated[str, typer.Option("--input", "-i", metavar="文件", help="JSONL 文件，一行一件")] = "",
    target: Annotated[str, typer.Option("--output", "-o", metavar="文件", help="结果写到哪里，缺省为标准输出")] = "-",
    title: Annotated[str, typer.Option(metavar="文字", help="标题（研判一段文字时）")] = "",
    institution: Annotated[str, typer.Option(metavar="文字", help="被反映机构（研判一段文字时）")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="研判一段文字时，输出 JSON")] = False,
    processes: Annotated[int, typer.Option("--processes", "-j", min=0, metavar="数", help="进程数，0 为全部核心")] = 0,
    names: Annotated[Path | None, typer.Option("--register", metavar="文件", help="机构名录，CSV 或 .xlsx")] = None,
    pack: Pack = "beichen",
) -> None:
    """研判一段诉求并说明理由；或逐行研判一个 JSONL 文件。"""
    if what is not None and _is_file(what):
        source = what
    elif what is None and not source and not sys.stdin.isatty():
        source = "-"
    if source:
        _many(source, target, partial(_judge, pack, names), processes)
    elif what is not None:
        _one({"content": what, "title": title, "institution": institution}, partial(_judge, pack, names), as_json=as_json)
    else:
        raise StartError("没有要研判的内容。例：fenpai triage '孩子学舞蹈，机构不退费'；或 fenpai triage --input 诉求.jsonl")


def _is_file(what: str) -> bool:
    """Whether the argument names a file. What looks like a file name is one, so that a slip in it is not judged as a complaint."""
    return what == "-" or _size(what) is not None or re.fullmatch(r"[^\s，。]+\.(jsonl?|ndjson|txt|csv)", what) is not None


def _engine(pack: str) -> Engine:
    return Engine(rulebook.load(rulebook.read_folder(rulebook.find_pack(pack))))


def _judge(pack: str, names: Path | None) -> batch.Judge:
    engine = _engine(pack)
    if names is None:
        return batch.Judge(engine)
    rows = register.from_file(names, engine.ruleset, Settings.from_env(os.environ).max_register_bytes)
    return batch.Judge(engine, Register.of(rows, engine.ruleset, engine.plan.cutter))


def _one(given: dict[str, str], who: Callable[[], batch.Judge], *, as_json: bool) -> None:
    try:
        ComplaintIn.model_validate(given)
    except ValidationError as mistake:
        raise StartError("；".join(batch.wording(mistake))) from None
    complaint = Complaint(**given)  # type: ignore[arg-type]
    judge = who()
    decision = judge.triage(complaint)
    if as_json:
        print(_json(batch.answer(decision)))
    else:
        show.say(Console(), complaint, decision, judge.engine.ruleset)


def _many(source: str, target: str, who: Callable[[], batch.Judge], processes: int) -> None:
    with _opened(source) as lines, _written(target) as out, show.progress("研判", _size(source)) as advance:
        judge = who()
        began = time.perf_counter()
        whole = batch.run(lines, out, judge, processes or None, lambda part: advance(part.read))
    _report(whole, time.perf_counter() - began)
    if whole.mistakes:
        raise typer.Exit(1)


def _report(whole: batch.Part, seconds: float) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for mistake in whole.mistakes[:MOST_MISTAKES]:
        console.print(f"第 {mistake.line} 行：{mistake.message}", style="red", markup=False)
    if len(whole.mistakes) > MOST_MISTAKES:
        console.print(f"……另有 {len(whole.mistakes) - MOST_MISTAKES} 行有误，见输出中的 error")
    count = whole.decisions.total() + len(whole.mistakes)
    parts = [f"{show.OUTCOMES[outcome]} {whole.decisions[outcome]}" for outcome in Outcome] + [f"有误 {len(whole.mistakes)}"]
    console.print(f"共 {count} 件：{'，'.join(parts)}。用时 {seconds:.2f} 秒，每秒 {count / max(seconds, 1e-9):,.0f} 件")


def _size(source: str) -> int | None:
    """The length of a file; None where there is no such file, also where the name is too long to be one."""
    try:
        return Path(source).stat().st_size if Path(source).is_file() else None
    except (OSError, ValueError):
        return None


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as lines:
        yield lines


@contextmanager
def _written(target: str) -> Iterator[IO[bytes]]:
    """Where the answers go. A file appears under its name only when it is whole, so it may also be the input."""
    path = Path(target)
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():
        with path.open("wb") as out:
            yield out
    else:
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as out:
                yield out
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


# The register -------------------------------------------------------------------------------------------------------------------


@institutions.command("import", cls=usage.Command)
def import_institutions(
    file: Annotated[Path, typer.Argument(metavar="文件", help="CSV（UTF-8 或 GBK）或 .xlsx，表头用中文")],
    replace: Annotated[bool, typer.Option("--replace", help="文件就是整个名录，其中没有的机构从名录中去掉")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入")] = False,
    skip: Annotated[bool, typer.Option("--skip-errors", help="跳过有错误的行，导入其余各行")] = False,
) -> None:
    """把文件导入机构名录。有错误时逐处列出行、列和改法，一行也不导入。"""
    settings = Settings.from_env(os.environ)
    how = ImportQuery(replace=replace, dry_run=dry, skip_errors=skip)
    with register.opened(settings) as counter:
        try:
            done = counter.bring_in(file, how, settings.max_register_bytes)
        except register.RegisterInvalid as wrong:
            _tell(wrong.rows)
            print(f"{file}：{wrong.detail}", file=sys.stderr)
            raise typer.Exit(1) from None
    _tell(done.skipped)
    for remark in done.remarks:
        print(remark)
    counts = f"新增 {done.added}，修改 {done.changed}，没有变化 {done.unchanged}，去掉 {done.removed}；名录共 {done.total} 家"
    print(f"{'只检查，没有写入' if dry else f'名录第 {done.revision} 版'}：{counts}。")
    if done.skipped:
        raise typer.Exit(1)


def _tell(faults: Sequence[RowFault]) -> None:
    for fault in faults:
        print(fault, file=sys.stderr)


@institutions.command("export", cls=usage.Command)
def export_institutions(file: Annotated[str, typer.Argument(metavar="[文件]", help="写到哪里，缺省为标准输出")] = "-") -> None:
    """把机构名录写成 CSV，Excel 可直接打开，改后可再导入。"""
    with register.opened(Settings.from_env(os.environ)) as counter:
        content = counter.export()
    with _written(file) as out:
        out.write(content)


@institutions.command("search", cls=usage.Command)
def search_institutions(
    words: Annotated[str, typer.Argument(metavar="[文字]", help="名称、别名、许可证号、地址中含有的文字")] = "",
    category: Annotated[str | None, typer.Option(metavar="代码", help="机构类别代码")] = None,
    status: Annotated[str | None, typer.Option(metavar="状态", help="状态")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=20_000, metavar="数", help="最多列出多少家")] = 50,
) -> None:
    """查询机构名录。"""
    with register.opened(Settings.from_env(os.environ)) as counter:
        found = counter.search(words, category, status, most)
    if not found:
        print("没有找到。")
        raise typer.Exit(1)
    Console().print(show.institutions(found, counter.ruleset))


# Rules and labels ---------------------------------------------------------------------------------------------------------------


@rules.command("check", cls=usage.Command)
def check_rules(pack: Annotated[str, typer.Argument(envvar="FENPAI_PACK", metavar="[规则包]")] = "beichen") -> None:
    """检查规则包，一次列出所有错误：文件、行、列、怎样改。"""
    folder = rulebook.find_pack(pack)
    mistakes = rulebook.check(rulebook.read_folder(folder))
    for mistake in mistakes:
        print(mistake)
    errors = sum(mistake.severity == "error" for mistake in mistakes)
    print(f"{folder}：{errors} 处错误，{len(mistakes) - errors} 处提醒。")
    if errors:
        raise typer.Exit(1)


@rules.command("test", cls=usage.Command)
def try_rules(
    pack: Annotated[str, typer.Argument(envvar="FENPAI_PACK", metavar="[规则包]")] = "beichen",
    uncovered: Annotated[bool, typer.Option("--uncovered", help="另列出没有用例的规则和词语")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    junit: Annotated[str, typer.Option(metavar="文件", help="另写一份 JUnit XML，供 CI 显示")] = "",
    mutate: Annotated[bool, typer.Option("--mutate", help="逐一拿掉词语、排除和强度，指出没有用例察觉的")] = False,
) -> None:
    """运行规则旁边的用例（*.test.yaml），说明哪些不符、为什么，以及覆盖了多少规则和词语。"""
    files = rulebook.read_folder(rulebook.find_pack(pack))
    if mutate:
        _mutate(files, uncovered=uncovered, as_json=as_json)
        return
    tested = ruletest.run(Engine(rulebook.load(files)), files)
    print(_json(ruletest.as_json(tested)) if as_json else ruletest.text(tested, uncovered=uncovered))
    if junit:
        Path(junit).write_text(ruletest.junit(tested), encoding="utf-8")
    if not tested.passed:
        raise typer.Exit(1)


def _mutate(files: dict[str, str], *, uncovered: bool, as_json: bool) -> None:
    with show.progress("逐一拿掉", None) as advance:
        mutation = ruletest.mutate(Engine(rulebook.load(files)), lambda: advance(1))
    print(_json(ruletest.mutation_json(mutation)) if as_json else ruletest.mutation_text(mutation, unreached=uncovered))


@rules.command("prove", cls=usage.Command)
def prove_rules(
    pack: Annotated[str, typer.Argument(envvar="FENPAI_PACK", metavar="[规则包]")] = "beichen",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    save: Annotated[bool, typer.Option("--save-tests", help=f"把例句存为规则包里的用例（{prover.CASES}），期望为现在的结果")] = False,
) -> None:
    """用规则自己的词语造句，找出永远不命中、从不起作用、一词两属的规则和词语，每处附例句。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    proof = prover.prove(Engine(rulebook.load(files)))
    print(_json(prover.as_json(proof)) if as_json else prover.text(proof))
    if save and (saved := prover.cases(proof)):
        rulebook.load({**files, prover.CASES: saved})
        (folder / prover.CASES).write_text(saved, encoding="utf-8")
        print(f"例句已存入 {folder / prover.CASES}", file=sys.stderr)
    if proof.faults:
        raise typer.Exit(1)


@rules.command("repair", cls=usage.Command)
def repair_rules(
    wrong: Annotated[list[Path], typer.Argument(metavar="判错的文件...", help="判错的诉求，JSONL，一行一件，写明应有的结果")],
    confirmed: Annotated[
        list[Path] | None, typer.Option(metavar="文件", help="已确认判对的诉求，JSONL；修改不得弄坏它们，可写多次")
    ] = None,
    labels: Annotated[str, typer.Option("--labels", metavar="字段", help="只看这些字段的结果，逗号分隔，如 decision,lead")] = "",
    most: Annotated[int, typer.Option("--most", min=1, max=20, metavar="数", help="至多提几处修改")] = 5,
    write: Annotated[bool, typer.Option("--write", help="把修改和用例写入规则包")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    pack: Pack = "beichen",
) -> None:
    """从判错的诉求提出最小的规则修改：改好最多，不弄坏已确认的；附 YAML 差异和守住它的用例。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    ruleset = rulebook.load(files)
    wanted = tuple(filter(None, labels.replace("，", ",").split(","))) or repair.LABELS
    if strange := sorted(set(wanted) - set(repair.LABELS)):
        raise StartError(f"没有 {'、'.join(strange)} 这个字段。可写：{'、'.join(repair.LABELS)}")
    cases, right = repair.read(wrong, ruleset, wanted), repair.read(confirmed or [], ruleset, wanted)
    with show.progress("试各种修改", None) as advance:
        mended = repair.repair(files, cases, right, most=most, tell=lambda _: advance(1))
    print(_json(repair.as_json(mended)) if as_json else repair.text(mended))
    for name in sorted(name for name in mended.after if write and mended.after[name] != files.get(name)):
        (folder / name).write_text(mended.after[name], encoding="utf-8", newline="")
        print(f"已写入 {folder / name}", file=sys.stderr)
    if mended.unmended:
        raise typer.Exit(1)


@rules.command("schema", cls=usage.Command)
def schema_of_rules() -> None:
    """输出规则文件的 JSON Schema，供编辑器提示和检查。"""
    print(_json(rulebook.schema()))


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


Golds = Annotated[list[Path], typer.Argument(metavar="标注文件...", help="标注好的诉求，JSONL，一行一件")]


@app.command(cls=usage.Command)
def evaluate(
    golds: Golds,
    html: Annotated[str, typer.Option(metavar="文件", help="另写一份网页报告，列出每一处错误及其依据")] = "",
    pack: Pack = "beichen",
) -> None:
    """用标注好的诉求评估研判：精确率、召回率、混淆、区间。"""
    engine = _engine(pack)
    judged = gold.judge(gold.read(golds, engine.ruleset), engine)
    figures = measure(judged, engine.ruleset)
    Console().print(summary.summary(judged, figures, engine.ruleset))
    if html:
        Path(html).write_text(report.page(judged, figures, engine.ruleset), encoding="utf-8")
        print(f"报告：{html}")


@app.command(cls=usage.Command)
def calibrate(
    golds: Golds,
    promise: Annotated[float, typer.Option(min=0.5, max=0.9999, metavar="数", help="自动分派正确的比例至少多少")] = 0.98,
    dry: Annotated[bool, typer.Option("--dry-run", help="只算，不写入规则包")] = False,
    pack: Pack = "beichen",
) -> None:
    """用标注好的诉求校准：定出自动分派的门槛和把握的含义，写入规则包。标注须未用于调整规则。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    ruleset = rulebook.load(files)
    judged = gold.judge(gold.read(golds, ruleset), Engine(calibration.without_threshold(ruleset)))
    names = "、".join(path.name for path in golds)
    found = calibration.calibrate(judged, promise, ruleset.ruleset.thresholds.dispatch, names)
    print(summary.verdict(found))
    if not dry:
        changed = calibration.written(files, found)
        if rulebook.load(changed).ruleset.calibration != found:
            raise StartError(f"{calibration.RULESET} 的写法特殊，没有把握改得对，未写入")
        (folder / calibration.RULESET).write_text(changed[calibration.RULESET], encoding="utf-8")
        print(f"已写入 {folder / calibration.RULESET}")


# The door -----------------------------------------------------------------------------------------------------------------------

TROUBLE = {
    errno.ENOENT: "找不到",
    errno.EACCES: "没有权限",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.ENOSPC: "磁盘已满",
    errno.EADDRINUSE: "端口已被占用",
    errno.EROFS: "只读，不能写",
}


def main(words: list[str] | None = None) -> None:
    """Run a command. Whatever goes wrong is said in Chinese on one line; a stack trace helps no official."""
    sys.exit(_run(words))


def _run(words: list[str] | None) -> int:
    try:
        code = int(app(words, prog_name="fenpai", standalone_mode=False) or 0)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except TyperException as wrong:
        context = getattr(wrong, "ctx", None)
        return _said(f"{usage.mistake(wrong.format_message())}。用法见：{context.command_path if context else 'fenpai'} --help", 2)
    except rulebook.PackError as broken:
        return _said(_broken(broken), 2)
    except register.RegisterInvalid as wrong:
        return _said("\n".join([*map(str, wrong.rows), wrong.detail]), 2)
    except FenpaiError as wrong:
        return _said(wrong.detail, 2)
    except OSError as trouble:
        return _said(_trouble(trouble), 2)
    except Exception as fault:  # noqa: BLE001 - the edge: a fault of ours must not end in a stack trace either
        return _said(f"程序出错（{type(fault).__name__}：{fault}）。请把这一行和所用命令告诉维护者。", 2)
    return _said("已中断。", code) if code == INTERRUPTED else code


def _broken(pack: rulebook.PackError) -> str:
    errors = [str(mistake) for mistake in pack.mistakes if mistake.severity == "error"]
    if pack.mistakes[0].file == ".":
        return f"{pack.mistakes[0].message}。{pack.mistakes[0].hint}"
    more = [f"……共 {len(errors)} 处错误"] if len(errors) > MOST_MISTAKES else []
    return "\n".join(["规则包有错误，没有启用（fenpai rules check 另列出提醒）：", *errors[:MOST_MISTAKES], *more])


def _trouble(trouble: OSError) -> str:
    what = TROUBLE.get(trouble.errno or 0, trouble.strerror or str(trouble))
    return f"{trouble.filename}：{what}" if trouble.filename else str(what)


def _said(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
