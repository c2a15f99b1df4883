"""Registers for the tests: the one that ships with the samples, small ones, and files that hold one."""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path

import pytest

from models.complaint import Complaint, RegisterHit, WorkOrderIn
from models.register import Institution
from models.ruleset import RuleSet
from service.engine.register import Register
from service.engine.tokens import Cutter, cutter
from service.register import from_file
from service.rulebook import find_pack, load, read_folder

SAMPLES = Path(find_pack("beichen")) / "samples"
FEW = (
    Institution(
        id="1", name="天津鲸豆湾体育发展有限公司", aliases=("鲸豆湾", "鲸豆湾游泳馆"), category="sports", street="瑞景街道", status="在办"
    ),
    Institution(id="2", name="天津蔓汀舞蹈艺术培训有限公司", aliases=("蔓汀舞蹈", "蔓汀"), category="arts", street="北仓镇", status="在办"),
    Institution(
        id="3", name="天津市北辰区翎朔教育培训学校", aliases=("翎朔教育", "翎朔"), category="subject", street="天穆镇", status="在办"
    ),
    Institution(id="4", name="天津北湖篮球训练营有限公司", aliases=("北湖篮球", "北湖训练营"), category="sports", status="在办"),
    Institution(id="5", name="天津海琴文化艺术培训有限公司", aliases=("海琴艺术", "海琴钢琴"), category="arts", street="双街镇"),
    Institution(id="6", name="天津半亩塘书画艺术有限公司", aliases=("半亩塘书画院", "半亩塘"), category="arts", street="宜兴埠镇"),
    Institution(id="7", name="天津阳光艺术培训有限公司", aliases=("阳光", "艺术培训"), category="arts"),
    Institution(id="8", name="天津琴溪里文化艺术发展有限公司", aliases=("琴溪里琴行", "琴溪里"), category="arts", status="注销"),
)

Find = Callable[..., RegisterHit | None]


@pytest.fixture(scope="session")
def cut() -> Cutter:
    """One dictionary for all: it takes 24 MB."""
    return cutter(frozenset())


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return load(read_folder(find_pack("beichen")))


@pytest.fixture(scope="session")
def few(rules: RuleSet, cut: Cutter) -> Register:
    return Register.of(FEW, rules, cut)


@pytest.fixture(scope="session")
def sample_register(rules: RuleSet, cut: Cutter) -> Register:
    return Register.of(from_file(SAMPLES / "institutions.csv", rules, 1_000_000), rules, cut)


@pytest.fixture(scope="session")
def sample_orders() -> dict[str, Complaint]:
    lines = (SAMPLES / "orders.jsonl").read_bytes().splitlines()
    orders = [WorkOrderIn.model_validate_json(line) for line in lines]
    return {order.source_order_no: order.complaint() for order in orders}


@pytest.fixture(scope="session")
def find(few: Register) -> Find:
    """Look up in the small register: a content, and whatever else the complaint has."""
    return lambda content="诉求", **more: few.find(Complaint(content, **more))


def csv(*rows: str) -> bytes:
    return "\r\n".join(rows).encode()


def workbook(*rows: Iterable[object], sheets: Iterable[Iterable[Iterable[object]]] = ()) -> bytes:
    """An Excel workbook as small as can be: one sheet of these rows, or several."""
    pages = list(sheets) or [rows]
    names = range(1, len(pages) + 1)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in names)
    links = "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in names)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": _sheet(page, main) for n, page in zip(names, pages, strict=True)}
    return packed(parts)


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return data.getvalue()


def _sheet(rows: Iterable[Iterable[object]], main: str) -> str:
    lines = [
        f'<row r="{line}">' + "".join(_cell(f"{chr(65 + place)}{line}", cell) for place, cell in enumerate(row)) + "</row>"
        for line, row in enumerate(rows, 1)
    ]
    return f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, cell: object) -> str:
    if isinstance(cell, int | float):
        return f'<c r="{place}"><v>{cell}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>' if cell else ""
