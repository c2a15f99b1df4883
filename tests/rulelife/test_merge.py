"""Merging on the command line: a folder, or a stored draft, takes in what came into force meanwhile, and is examined at once."""

from pathlib import Path

from starlette.testclient import TestClient

from tests.packs.build import edited
from tests.rulelife.conftest import BADMINTON, Fenpai, edit

BALL = BADMINTON[0]


def in_force(house: TestClient) -> int:
    """Somebody else publishes meanwhile: one word comes, one goes, and the rule becomes strong."""
    change = (BALL, "    terms: [篮球, 足球, 网球]", "    strength: strong\n    terms: [篮球, 网球, 羽毛球]")
    answer = house.post("/v1/rulesets", json={"files": edited(*change), "author": "li", "note": "另一处", "overrule": "用例照旧"})
    version: int = answer.json()["version"]
    return version


def test_a_folder_takes_in_the_version_in_force_and_says_what_came_of_it(house: TestClient, pack: Path, fenpai: Fenpai) -> None:
    edit(pack, BALL, "    terms: [篮球, 足球, 网球]", "    strength: weak\n    terms: [篮球, 足球, 网球, 排球]")
    assert "--base" in fenpai("rules", "merge").err
    assert fenpai("rules", "merge", "--base", "1").code == 2  # nothing came since
    version = in_force(house)
    before = (pack / BALL).read_text(encoding="utf-8")

    refused = fenpai("rules", "merge", "--base", "1")
    assert refused.code == 1
    assert f"在用的第 {version} 版有 1 处改了同一个地方，没有合并" in refused.out
    assert "规则 ball.programs：草稿增词 排球；强度 中 → 弱" in refused.out
    assert "以草稿为准：加 --keep 草稿" in refused.out
    assert (pack / BALL).read_text(encoding="utf-8") == before

    edit(pack, BALL, "    strength: weak\n", "")
    merged = fenpai("rules", "merge", "--base", "1")
    assert "terms: [篮球, 网球, 羽毛球, 排球]" in (pack / BALL).read_text(encoding="utf-8")
    assert "strength: strong" in (pack / BALL).read_text(encoding="utf-8")
    assert f"第 {version} 版已合并进 {pack}，改动了 1 个文件：{BALL}。" in merged.out
    assert "规则 ball.programs（球类项目）：增词 排球" in merged.out
    assert merged.code == 0, merged.out
    assert "检查：0 处错误" in merged.out
    assert "全部通过" in merged.out
    assert "查证：" in merged.out


def test_a_stored_draft_is_merged_too_in_favour_of_one_side(house: TestClient, pack: Path, fenpai: Fenpai) -> None:
    edit(pack, BALL, "    terms: [篮球, 足球, 网球]", "    strength: weak\n    terms: [篮球, 足球, 网球]")
    assert fenpai("rules", "draft", "push", "--author", "王科长").code == 0
    [draft] = house.get("/v1/rulesets/drafts").json()["drafts"]
    version = in_force(house)
    words = ("rules", "merge", "--draft", draft["id"], "--author", "王科长", "--no-prove")
    assert fenpai(*words).code == 1
    merged = fenpai(*words, "--keep", "草稿")
    assert f"第 {version} 版已合并进草稿 {draft['id']}，现在是第 2 稿" in merged.out
    assert "没有查证" in merged.out
    assert "strength: weak" in house.get(f"/v1/rulesets/drafts/{draft['id']}/files/{BALL}").text
    assert house.get(f"/v1/rulesets/drafts/{draft['id']}").json()["base"] == version
