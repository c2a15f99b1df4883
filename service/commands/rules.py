"""`fenpai rules check | test | prove | repair | schema`: a pack in its folder; publishing and the ledger have modules of their own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service import prover, repair, rulebook, ruletest, show, usage
from service.commands.terminal import Pack, as_text
from service.engine import Engine
from service.errors import StartError

LATER = {
    **dict.fromkeys(("versions", "diff", "export", "impact", "publish", "rollback"), "service.press:app"),
    **dict.fromkeys(("ledger", "release", "shadow"), "service.clerk:app"),
    **dict.fromkeys(("new", "import", "draft"), "service.drafting:app"),
}

app = typer.Typer(cls=usage.later(LATER), help="检查、测试、比较、发布规则包。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("check", cls=usage.Command)
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


@app.command("test", cls=usage.Command)
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
    print(as_text(ruletest.as_json(tested)) if as_json else ruletest.text(tested, uncovered=uncovered))
    if junit:
        Path(junit).write_text(ruletest.junit(tested), encoding="utf-8")
    if not tested.passed:
        raise typer.Exit(1)


def _mutate(files: dict[str, str], *, uncovered: bool, as_json: bool) -> None:
    with show.progress("逐一拿掉", None) as advance:
        mutation = ruletest.mutate(Engine(rulebook.load(files)), lambda: advance(1))
    print(as_text(ruletest.mutation_json(mutation)) if as_json else ruletest.mutation_text(mutation, unreached=uncovered))


@app.command("prove", cls=usage.Command)
def prove_rules(
    pack: Annotated[str, typer.Argument(envvar="FENPAI_PACK", metavar="[规则包]")] = "beichen",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    save: Annotated[bool, typer.Option("--save-tests", help=f"把例句存为规则包里的用例（{prover.CASES}），期望为现在的结果")] = False,
) -> None:
    """用规则自己的词语造句，找出永远不命中、从不起作用、一词两属的规则和词语，每处附例句。"""
    folder = rulebook.find_pack(pack)
    files = rulebook.read_folder(folder)
    proof = prover.prove(Engine(rulebook.load(files)))
    print(as_text(prover.as_json(proof)) if as_json else prover.text(proof))
    if save and (saved := prover.cases(proof)):
        rulebook.load({**files, prover.CASES: saved})
        (folder / prover.CASES).write_text(saved, encoding="utf-8")
        print(f"例句已存入 {folder / prover.CASES}", file=sys.stderr)
    if proof.faults:
        raise typer.Exit(1)


@app.command("repair", cls=usage.Command)
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
    print(as_text(repair.as_json(mended)) if as_json else repair.text(mended))
    for name in sorted(name for name in mended.after if write and mended.after[name] != files.get(name)):
        (folder / name).write_text(mended.after[name], encoding="utf-8", newline="")
        print(f"已写入 {folder / name}", file=sys.stderr)
    if mended.unmended:
        raise typer.Exit(1)


@app.command("schema", cls=usage.Command)
def schema_of_rules() -> None:
    """输出规则文件的 JSON Schema，供编辑器提示和检查。"""
    print(as_text(rulebook.schema()))
