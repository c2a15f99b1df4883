"""Files as Excel writes them in China, and files that mean harm."""

import io
import zipfile
from typing import Any

import pytest

from service.register import sheet
from service.register.errors import RegisterUnreadable
from service.register.sheet import Line, read_lines
from tests.register.conftest import csv, packed, workbook

TEXT = "名称,别名\r\n蔓汀舞蹈,蔓汀；曼汀\r\n"
ROWS = [Line(1, ("名称", "别名")), Line(2, ("蔓汀舞蹈", "蔓汀；曼汀"))]


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
    def test_is_read_in_each_encoding_that_excel_writes(self, encoding: str) -> None:
        assert read_lines(TEXT.encode(encoding)) == [ROWS]

    def test_with_tabs_is_read_too(self) -> None:
        assert read_lines(TEXT.replace(",", "\t").encode()) == [ROWS]

    def test_blank_lines_are_passed_over_and_counted(self) -> None:
        [lines] = read_lines(csv("名称,类别", "", ",", "甲乙,arts"))
        assert [line.number for line in lines] == [1, 4]

    def test_a_cell_of_two_lines_is_one_row_that_stands_on_its_first(self) -> None:
        [lines] = read_lines(csv("名称,别名", '甲乙,"一\n二"', "丙丁,"))
        assert [(line.number, line.cells) for line in lines[1:]] == [(2, ("甲乙", "一\n二")), (4, ("丙丁", ""))]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (TEXT.encode("utf-16"), "UTF-16"),
            (b"\xff\xff\xff", "既不是 UTF-8"),
            ("名称\x00".encode(), "既不是 UTF-8"),
            (csv("名称", '"甲乙'), "第 2 行起的引号没有配对"),
            (csv("名称", "甲" * 200_000), "第 2 行"),
            (b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "旧版 Excel"),
        ],
    )
    def test_that_cannot_be_read_is_refused_with_what_to_do(self, data: bytes, said: str) -> None:
        with pytest.raises(RegisterUnreadable, match=said):
            read_lines(data)

    def test_of_too_many_rows_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sheet, "MOST_ROWS", 3)
        assert read_lines(csv("名称", "甲", "乙"))
        with pytest.raises(RegisterUnreadable, match="超过 3 行"):
            read_lines(csv("名称", "甲", "乙", "丙"))


class TestExcel:
    def test_is_read_with_the_numbers_of_its_rows(self) -> None:
        assert read_lines(workbook(["名称", "别名"], ["蔓汀舞蹈", "蔓汀；曼汀"])) == [ROWS]

    def test_numbers_are_written_as_people_see_them(self) -> None:
        [[line]] = read_lines(workbook(["甲乙", 20190001, 1.5]))
        assert line.cells == ("甲乙", "20190001", "1.5")

    def test_of_several_sheets_gives_each(self) -> None:
        assert read_lines(workbook(sheets=[[["说明"]], [], [["名称"], ["甲乙"]]])) == [
            [Line(1, ("说明",))],
            [],
            [Line(1, ("名称",)), Line(2, ("甲乙",))],
        ]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"PK\x03\x04 and no more", "不是完好的"),
            (packed({"readme.txt": "no workbook"}), "不是 .xlsx"),
            (packed({"xl/workbook.xml": "<broken"}), "不是完好的"),
            (workbook(["名称"])[:-40], "不是完好的"),
            (workbook(["名称"]).replace(b"xl/workbook.xml", b"xl/workbook.xmk"), "不是 .xlsx"),
        ],
    )
    def test_that_is_broken_or_none_is_refused(self, data: bytes, said: str) -> None:
        with pytest.raises(RegisterUnreadable, match=said):
            read_lines(data)

    def test_with_a_password_is_refused(self) -> None:
        data = bytearray(workbook(["名称"]))
        place = data.find(b"PK\x01\x02")
        data[place + 8] |= 1  # the mark of an encrypted part
        with pytest.raises(RegisterUnreadable, match="不是完好的"):
            read_lines(bytes(data))


class TestHarm:
    """What would fill the memory is refused before it is unpacked or laid out."""

    def test_a_part_that_swells(self) -> None:
        bomb = packed({"xl/workbook.xml": "", "xl/media/swollen.bin": b"\x00" * (sheet.MOST_BYTES + 1)})
        assert len(bomb) < 100_000
        with pytest.raises(RegisterUnreadable, match="解压后超过"):
            read_lines(bomb)

    def test_a_part_that_lies_about_its_size(self) -> None:
        data = bytearray(packed({"xl/workbook.xml": b"\x00" * 50_000_000}))
        for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = data.find(mark) + offset
            data[place : place + 4] = (10).to_bytes(4, "little")
        with pytest.raises(RegisterUnreadable, match="不是完好的"):
            read_lines(bytes(data))

    def test_too_many_parts(self) -> None:
        with pytest.raises(RegisterUnreadable, match="解压后超过"):
            read_lines(packed({"xl/workbook.xml": ""} | {f"x{n}": "" for n in range(sheet.MOST_PARTS)}))

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            ('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>', "行"),
            ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "列"),
            ("<row>" + "<c><v>1</v></c>" * 70 + "</row>", "列"),
            ("<row/>" * 20_001, "行"),
        ],
    )
    def test_a_sheet_that_reaches_far(self, cells: str, said: str) -> None:
        data = workbook(["名称"])
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts: dict[str, Any] = {name: book.read(name) for name in book.namelist()}
        parts["xl/worksheets/sheet1.xml"] = f"<worksheet><sheetData>{cells}</sheetData></worksheet>"
        with pytest.raises(RegisterUnreadable, match=f"超过 .* {said}"):
            read_lines(packed(parts))

    def test_entities_that_multiply(self) -> None:
        entities = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        laughs = f'{entities}<worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>'
        with zipfile.ZipFile(io.BytesIO(workbook(["名称"]))) as book:
            parts: dict[str, Any] = {name: book.read(name) for name in book.namelist()}
        try:
            [lines] = read_lines(packed(parts | {"xl/worksheets/sheet1.xml": laughs}))
        except RegisterUnreadable:
            return
        assert sum(len(cell) for line in lines for cell in line.cells) < 20
