"""The folder of a pack: found by name or path, read as text, refused with the exact place where it is none."""

from pathlib import Path

import pytest

from service.rulebook import PackError, check, find_pack, load, read_folder
from tests.packs.build import HERE, tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in tiny().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def refused(folder: Path) -> list[str]:
    with pytest.raises(PackError) as error:
        read_folder(folder)
    return str(error.value).split("\n")


class TestReadFolder:
    def test_names_files_with_slashes(self, folder: Path) -> None:
        assert "categories/ball.yaml" in read_folder(folder)
        assert load(read_folder(folder)) == load(tiny())

    def test_passes_over_what_is_no_rule(self, folder: Path) -> None:
        for name in ("README.md", "samples/orders.jsonl", ".git/config.yaml", ".hidden.yaml", "samples/notes.txt"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"\xff\x00")
        assert read_folder(folder) == tiny()

    def test_warns_of_files_that_no_pack_has(self, folder: Path) -> None:
        for name in ("rules.yaml", "word.txt", "categories/music.yml", "samples/extra.yaml"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("x: 1", encoding="utf-8")
        assert [str(mistake) for mistake in check(read_folder(folder))] == [
            "categories/music.yml:1:1: 提醒：规则包里没有这种文件，不会被读入。请改名为 categories/music.yaml。",
            "rules.yaml:1:1: 提醒：规则包里没有这种文件，不会被读入。请检查文件名和所在的文件夹，或删掉它。",
            "samples/extra.yaml:1:1: 提醒：规则包里没有这种文件，不会被读入。请检查文件名和所在的文件夹，或删掉它。",
            "word.txt:1:1: 提醒：规则包里没有这种文件，不会被读入。请检查文件名和所在的文件夹，或删掉它。",
        ]

    def test_tells_a_file_of_gbk_and_the_place_of_its_first_strange_byte(self, folder: Path) -> None:
        (folder / "words.txt").write_bytes("# words\nabc 篮球\n".encode("gbk"))
        assert refused(folder) == ["words.txt:2:5: 错误：不是 UTF-8 编码，像是 GBK。请用编辑器另存为 UTF-8。"]

    def test_tells_a_file_of_utf16(self, folder: Path) -> None:
        (folder / "aliases.yaml").write_bytes("aliases: {兰球: 篮球}".encode("utf-16"))
        assert refused(folder) == ["aliases.yaml:1:1: 错误：不是 UTF-8 编码，像是 UTF-16。请用编辑器另存为 UTF-8。"]

    def test_tells_every_file_that_is_no_text(self, folder: Path) -> None:
        (folder / "aliases.yaml").write_bytes(b"a\xff")
        (folder / "scope.yaml").write_bytes(b"\x80")
        assert [line.split(" ")[0] for line in refused(folder)] == ["aliases.yaml:1:2:", "scope.yaml:1:1:"]

    def test_does_not_mind_a_byte_order_mark(self, folder: Path) -> None:
        for name in ("scope.yaml", "words.txt"):
            (folder / name).write_text("\ufeff" + tiny()[name], encoding="utf-8")
        assert load(read_folder(folder)) == load(tiny())

    def test_refuses_a_file_of_more_than_a_megabyte_unread(self, folder: Path) -> None:
        (folder / "scope.yaml").write_bytes(b"#" * 1_000_001)
        assert refused(folder) == ["scope.yaml:1:1: 错误：文件太大，超过 1 MB。请分成几个文件。"]

    def test_refuses_folders_of_too_many_files(self, folder: Path) -> None:
        for number in range(201):
            (folder / f"{number}.yaml").touch()
        assert refused(folder) == [".:1:1: 错误：文件太多，至多 200 个。请检查文件夹是否写对。"]

    def test_refuses_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "nowhere") == [f".:1:1: 错误：没有文件夹 {tmp_path / 'nowhere'}。请检查路径。"]

    def test_reads_a_folder_that_is_mounted_as_links(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        mounted = tmp_path_factory.mktemp("mounted")
        for name in tiny():
            (mounted / name).parent.mkdir(exist_ok=True)
            (mounted / name).symlink_to(folder / name)
        assert read_folder(mounted) == tiny()

    def test_does_not_follow_folders_in_circles(self, folder: Path) -> None:
        (folder / "categories" / "again").symlink_to(folder)
        assert read_folder(folder) == tiny()

    def test_tells_a_link_that_leads_nowhere(self, folder: Path) -> None:
        (folder / "categories" / "lost.yaml").symlink_to(folder / "gone.yaml")
        assert refused(folder) == ["categories/lost.yaml:1:1: 错误：读不了文件：No such file or directory。请检查文件和权限。"]


class TestMissingFiles:
    def test_are_named_all_at_once(self) -> None:
        assert [str(mistake) for mistake in check({})] == [
            f"{name}:1:1: 错误：规则包里缺少 {name}。请补上这个文件；写法见随附的规则包。"
            for name in ("categories/*.yaml", "clauses.yaml", "departments.yaml", "issues.yaml", "ruleset.yaml", "scope.yaml")
        ]


class TestFindPack:
    def test_knows_the_shipped_pack_by_name(self) -> None:
        assert (find_pack("beichen") / "ruleset.yaml").is_file()

    def test_takes_a_folder(self) -> None:
        assert find_pack(str(HERE / "tiny")) == HERE / "tiny"

    def test_offers_the_name_that_was_meant(self) -> None:
        with pytest.raises(PackError, match="找不到规则包 beichn。您是否想写 beichen？"):
            find_pack("beichn")

    def test_lists_what_there_is(self) -> None:
        with pytest.raises(PackError, match="请写规则包的名字（beichen）或它所在的文件夹"):
            find_pack("qqq")

    @pytest.mark.parametrize("name", ["", "../beichen", "/etc/passwd", "a/b", "\x00"])
    def test_refuses_what_is_neither(self, name: str) -> None:
        with pytest.raises(PackError):
            find_pack(name)
