"""`fenpai rules check | test | prove | schema`: a pack in its folder; repair, publishing and the ledger have modules of their own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service import prover, rulebook, ruletest, show, usage
from service.commands.terminal import as_text
from service.engine import Engine

LATER = {
    "repair": "service.commands.mending:app",
    **dict.fromkeys(("versions", "diff", "export", "impact", "publish", "rollback"), "service.press:app"),
    **dict.fromkeys(("ledger", "release", "shadow"), "service.clerk:app"),
    **dict.fromkeys(("new", "import", "draft"), "service.drafting:app"),
}

app = typer.Typer(cls=usage.later(LATER), help="检查、测试、比较、发布规则包。", rich_markup_mode=None)
app.callback(invoke_without_command=True)(usage.help_alone)


@app.command("check", cls=usage.Command)
def check_rules(pack: Annotated[str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]")] = "beichen") -> None:
    """检查规则包，一次列出所有错误：文件、行、列、怎样改。"""
    folder = rulebook.find_pack(pack)
    files, unread = rulebook.survey(folder)
    mistakes = [*unread, *rulebook.check(files)]
    for mistake in mistakes:
        print(mistake)
    errors = sum(mistake.severity == "error" for mistake in mistakes)
    print(f"{folder}：{errors} 处错误，{len(mistakes) - errors} 处提醒。")
    if errors:
        raise typer.Exit(1)


@app.command("test", cls=usage.Command)
def try_rules(
    pack: Annotated[str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]")] = "beichen",
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
    pack: Annotated[str, typer.Argument(envvar=["FENPAI_RULES_DIR", "FENPAI_PACK"], metavar="[规则包]")] = "beichen",
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


@app.command("schema", cls=usage.Command)
def schema_of_rules() -> None:
    """输出规则文件的 JSON Schema，供编辑器提示和检查。"""
    print(as_text(rulebook.schema()))
