"""A file of institutions as rows of text, with the line each stands on: CSV as Excel writes it in China, or an Excel workbook."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from service.register.errors import RegisterUnreadable

MOST_ROWS = 20_000
MOST_COLUMNS = 60
MOST_BYTES = 64_000_000
"""Of an unpacked workbook; one of 20,000 institutions has about 12 million."""
MOST_PARTS = 1_000
"""Files in a workbook."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
ROW = re.compile(rb"<(?:\w+:)?row\b")
CELL = re.compile(rb"<(?:\w+:)?c\b")
PLACE = re.compile(rb'<(?:\w+:)?(?:row|c)\b[^>]*?\sr="([A-Z]{0,3})([0-9]{1,7})"')
"""Where a sheet says that a row or a cell stands."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row that is not empty: its number as the program shows it that made the file, and its cells."""

    number: int
    cells: tuple[str, ...]


def read_lines(data: bytes) -> list[list[Line]]:
    """The rows of each sheet of the file; a CSV file is one sheet."""
    if data.startswith(b"PK\x03\x04"):
        return _workbook(data)
    if data.startswith(OLD_EXCEL):
        raise RegisterUnreadable("这是旧版 Excel 文件（.xls）或设了密码的工作簿。请另存为不加密的 .xlsx，或“CSV UTF-8”。")
    return [_csv(_decoded(data))]


# CSV ------------------------------------------------------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a mark; else GB18030, which Excel writes on Chinese Windows."""
    if data.startswith(UTF16):
        raise RegisterUnreadable("文件是 UTF-16 编码（Excel 的“Unicode 文本”）。请另存为“CSV UTF-8（逗号分隔）”。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise RegisterUnreadable("文件既不是 UTF-8 也不是 GBK（GB18030）编码的文本。请另存为“CSV UTF-8（逗号分隔）”或 .xlsx。")


def _csv(text: str) -> list[Line]:
    head = text.lstrip().split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in head and "," not in head else ",", strict=True)
    lines = []
    for line in _rows(reader):
        if any(line.cells):
            lines.append(line)
        if len(lines) > MOST_ROWS:
            raise _too_long()
    return lines


def _rows(reader: Any) -> Iterator[Line]:
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RegisterUnreadable(f"第 {number} 行起的引号没有配对，或单元格过长（{error}）。请检查这一行的双引号。") from None
        yield Line(number, tuple(cell.strip() for cell in row))


# Excel ----------------------------------------------------------------------------------------------------------------------------


def _workbook(data: bytes) -> list[list[Line]]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(_unpacked(data))) as book:
            return [_sheet(book, index) for index in range(len(book.sheet_names))]
    except (CalamineError, zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RegisterUnreadable(f"不是完好的 Excel 工作簿（{type(error).__name__}）。请重新另存为 .xlsx，或“CSV UTF-8”。") from None


def _unpacked(data: bytes) -> bytes:
    """The workbook, packed anew without compression from what could be read within the limits: calamine itself knows none."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as anew:
        names = packed.namelist()
        if "xl/workbook.xml" not in names:
            raise RegisterUnreadable("这是压缩文件，但不是 .xlsx 工作簿。请另存为 .xlsx，或“CSV UTF-8”。")
        if len(names) > MOST_PARTS:
            raise _too_big()
        left = MOST_BYTES
        for name in dict.fromkeys(names):
            with packed.open(name) as part:
                content = part.read(left + 1)
            left -= len(content)
            if left < 0:
                raise _too_big()
            _check_extent(name, content)
            anew.writestr(zipfile.ZipInfo(name), content)
    return plain.getvalue()


def _check_extent(name: str, content: bytes) -> None:
    """Refuse a sheet with a cell far outside: calamine would make room for all that lies between."""
    if not name.startswith("xl/worksheets/"):
        return
    if len(ROW.findall(content)) > MOST_ROWS or any(int(row) > MOST_ROWS for _, row in PLACE.findall(content)):
        raise _too_long()
    widest = max(len(CELL.findall(row)) for row in ROW.split(content))
    farthest = max((_number(column) for column in {column for column, _ in PLACE.findall(content)}), default=0)
    if max(widest, farthest) > MOST_COLUMNS:
        raise RegisterUnreadable(f"工作表超过 {MOST_COLUMNS} 列（含空列）。请删去多余的列再导入。")


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _sheet(book: CalamineWorkbook, index: int) -> list[Line]:
    rows = book.get_sheet_by_index(index).to_python(skip_empty_area=False)
    lines = [Line(number, tuple(_written(cell) for cell in row)) for number, row in enumerate(rows, 1)]
    return [line for line in lines if any(line.cells)]


def _written(cell: object) -> str:
    """A cell as people see it: numbers without .0, dates without a time."""
    match cell:
        case str():
            return cell.replace("\x00", "").strip()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == datetime.min.time():
            return cell.date().isoformat()
        case date() | datetime():
            return cell.isoformat()
        case _:
            return str(cell)


def _too_long() -> RegisterUnreadable:
    return RegisterUnreadable(f"文件超过 {MOST_ROWS:,} 行（含空行）。请删去空行，或分成几个文件导入。")


def _too_big() -> RegisterUnreadable:
    return RegisterUnreadable(f"工作簿解压后超过 {MOST_BYTES // 1_000_000} MB。请只保留名录一张工作表，另存后再导入。")
