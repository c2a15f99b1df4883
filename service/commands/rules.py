"""`fenpai rules check | test | prove | schema`: a pack in its folder; repair, publishing and the ledger have modules of their own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service import prover, rulebook, ruletest, show, usage
from service.commands.terminal import as_text
from service.engine import Engine

LATER = {
    "repair": ("service.commands.repair:app", "从判错的诉求提出最小的规则修改：改好最多，不弄坏已确认的；附 YAML 差异和守住它的用例。"),
    "versions": ("service.commands.versions:app", "列出已发布的各版本：谁、何时、为什么、由哪一版改来，哪一版在用。"),
    "diff": ("service.commands.versions:app", "用规则的话说出两版之间改了什么：哪条规则增了哪些词、删了哪些词、强度从什么改成什么。"),
    "export": ("service.commands.versions:app", "把一个版本的文件原样写出，成为一个可以由 git 保管、再次发布的文件夹。"),
    "impact": ("service.commands.impact:app", "发布之前，把以往的案件在在用的规则和草稿下各研判一遍：哪些改变去向、为什么，更对还是更错。"),
    "publish": ("service.commands.versions:app", "检查、测试规则包，都通过才发布为新版本并立即启用；各副本在两秒内换用。"),
    "rollback": ("service.commands.versions:app", "启用一个已发布的版本：撤回到旧版，或再回到新版。"),
    "ledger": (
        "service.commands.ledger:app",
        "每条规则判对了多少：由退单的裁定、更正、指定承办、退回、办结汇总，附区间、逐词、逐月和判错的每一件。",
    ),
    "release": ("service.commands.ledger:app", "恢复一条被台账停用待查的规则：发布一个它重新计分的版本，此后重新计数。"),
    "shadow": ("service.commands.ledger:app", "让一个草稿在新案上影子运行：跟着研判，不作决定。"),
    "new": ("service.commands.drafts:app", "写一条新规则和它的用例：写在同类规则之后，注释和次序不动；有错误、用例不符都不写入。"),
    "import": ("service.commands.drafts:app", "把别处来的规则包（zip 或文件夹）检查之后写成一个文件夹。"),
    "merge": (
        "service.commands.merge:app",
        "把在用的版本合并进草稿：只有一方改过的照改过的，一方增删的词语都保留；随即检查、测试、查证。",
    ),
    "draft": ("service.commands.drafts:app", "存在数据库里的草稿：交上去，请另一人批准。"),
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
