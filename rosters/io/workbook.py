"""The one workbook a new county fills in: what its sheets and columns are, and an empty one with choices and examples.

Whatever a clerk must choose stands in a drop-down in the words of the rules; rows that begin with 例 are examples and
are never read. It must never ask for a fact twice.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from streams.words import Level

EXAMPLE = "例"
ROWS = 3000
UNITS, PEOPLE, DUTY, SITES, KNOCKERS, CARD = "单位岗位", "人员", "值班表", "点位", "上门人员", "说明"
HEADER_ROW = 2

LEVEL_WORDS: dict[str, Level] = {"县级": Level.COUNTY, "乡镇": Level.TOWNSHIP, "村级": Level.VILLAGE}
# The words of the drop-downs; the kinds of config/kinds.py, whose keepers of sites stand on the sheet of sites.
KIND_WORDS: dict[str, str] = {
    "值班员": "duty_officer",
    "带班领导": "duty_leader",
    "防汛分管负责人": "flood_chief",
    "主要负责人": "main_leader",
    "抢险救援队": "rescue_team",
    "防汛责任人": "village_head",
    "安全员": "safety_officer",
    "线路检测": "line_check",
}
SITE_WORDS: dict[str, str] = {
    "水库": "reservoir",
    "地质灾害隐患点": "hazard_point",
    "学校": "school",
    "尾矿库": "tailings_dam",
    "在建工地": "building_site",
    "企业": "enterprise",
}
_YES_NO = ("是", "否")
AS_TEXT = frozenset({"区划代码", "手机", "座机", "第二手机", "电话", "编号"})


@dataclass(frozen=True)
class Heading:
    """A column: its heading, its example, and what may be chosen (words, or `sheet!column` for what stands there)."""

    text: str
    example: str = ""
    choices: tuple[str, ...] = ()
    from_sheet: str = ""
    width: int = 14


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, one sentence on how to fill it in, and its columns."""

    name: str
    hint: str
    columns: tuple[Heading, ...]


SHEETS: tuple[Sheet, ...] = (
    Sheet(
        UNITS,
        "一个岗位一行。同一单位的级别、区划、上级写在它的第一行即可。轮班的岗位由值班表决定谁当班，A角B角不填也行。",
        (
            Heading("单位", "例：溪口镇人民政府", width=24),
            Heading("级别", "乡镇", tuple(LEVEL_WORDS)),
            Heading("区划代码", "419926100000", width=16),
            Heading("区划名称", "溪口镇"),
            Heading("上级单位", "禾溪县应急管理局", from_sheet=f"{UNITS}!A", width=24),
            Heading("职能", "值班员", tuple(KIND_WORDS), width=18),
            Heading("岗位名称", "溪口镇值班员", width=20),
            Heading("轮班", "是", _YES_NO, width=8),
            Heading("A角", "张三", from_sheet=f"{PEOPLE}!A"),
            Heading("B角", "李四", from_sheet=f"{PEOPLE}!A"),
            Heading("危险区", "否", _YES_NO, width=8),
        ),
    ),
    Sheet(
        PEOPLE,
        "一人一行。先打手机，再打座机。重名的人请填编号，并在别的表里写成 张三(编号)。",
        (
            Heading("姓名", "例：张三"),
            Heading("手机", "13800000001", width=16),
            Heading("座机", "0916-3210000", width=16),
            Heading("第二手机", "", width=16),
            Heading("编号", ""),
        ),
    ),
    Sheet(
        DUTY,
        "一天一个单位一行，从交接班时间到次日交接班时间；其他时间写在班次里，如 20:00-8:00。"
        "一格几人：先叫第一人，第二人为B角，其余备补。",
        (
            Heading("日期", "例：2021-07-19"),
            Heading("单位", "溪口镇人民政府", from_sheet=f"{UNITS}!A", width=24),
            Heading("班次", "8:00-次日8:00", width=16),
            Heading("带班领导", "张三", from_sheet=f"{PEOPLE}!A", width=18),
            Heading("值班人员", "李四、王五", from_sheet=f"{PEOPLE}!A", width=18),
            Heading("备注", ""),
        ),
    ),
    Sheet(
        SITES,
        "一个点位一行，责任人就是要叫醒的人。",
        (
            Heading("名称", "例：石灰窑老滑坡体点", width=24),
            Heading("类型", "地质灾害隐患点", tuple(SITE_WORDS), width=18),
            Heading("所在村", "上湾村", width=18),
            Heading("A角", "张三", from_sheet=f"{PEOPLE}!A"),
            Heading("B角", "", from_sheet=f"{PEOPLE}!A"),
        ),
    ),
    Sheet(
        KNOCKERS,
        "电话叫不醒时谁去敲门：组长、网格员、邻村。一人一行，按先后写。",
        (
            Heading("村", "例：上湾村", width=18),
            Heading("姓名", "黄满仓"),
            Heading("身份", "一组组长", ("组长", "网格员", "邻村"), width=16),
            Heading("电话", "13800000002", width=16),
        ),
    ),
)
CARD_ROWS = (
    ("县代码", ""),
    ("县名", ""),
    ("时区", "Asia/Shanghai"),
    ("交接班时间", "08:00"),
)


def new_workbook(code: str, name: str = "") -> bytes:
    """Return an empty workbook for a county.

    Args:
        code: 12 digits, the last six zeros.
        name: 禾溪县; may be filled in later.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    card = book.create_sheet(CARD)
    given = {"县代码": code, "县名": name}
    for row, (label, usual) in enumerate(CARD_ROWS, start=1):
        card.cell(row, 1, label).font = Font(bold=True)
        card.cell(row, 2, given.get(label, usual))
        card.cell(row, 2).number_format = "@"
    card.cell(len(CARD_ROWS) + 2, 1, "依次填写后面各表；“例”开头的行只是示例，不会被读取，可以删掉。")
    card.cell(len(CARD_ROWS) + 3, 1, "填好后运行 jiaoying county check 本文件，它会逐格指出哪里要改。")
    card.column_dimensions["A"].width, card.column_dimensions["B"].width = 16, 24
    for sheet in SHEETS:
        _write(book.create_sheet(sheet.name), sheet)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write(written: Worksheet, sheet: Sheet) -> None:
    written.cell(1, 1, sheet.hint).alignment = Alignment(vertical="center")
    for n, heading in enumerate(sheet.columns, start=1):
        letter = get_column_letter(n)
        written.cell(HEADER_ROW, n, heading.text).font = Font(bold=True)
        written.cell(HEADER_ROW, n).fill = PatternFill("solid", fgColor="DDEBF7")
        written.cell(HEADER_ROW + 1, n, heading.example or None).font = Font(italic=True, color="888888")
        written.column_dimensions[letter].width = heading.width
        if heading.choices or heading.from_sheet:
            written.add_data_validation(_proposals(heading, f"{letter}{HEADER_ROW + 2}:{letter}{ROWS}"))
    # Codes and phone numbers are text: as numbers a spreadsheet would round them or drop a leading zero.
    for n, heading in enumerate(sheet.columns, start=1):
        if heading.text in AS_TEXT:
            written.column_dimensions[get_column_letter(n)].number_format = "@"
    written.freeze_panes = f"A{HEADER_ROW + 1}"


def _proposals(heading: Heading, cells: str) -> DataValidation:
    if heading.choices:
        chosen = DataValidation("list", formula1=f'"{",".join(heading.choices)}"', allow_blank=True)
        chosen.errorTitle, chosen.error = heading.text, "请从下拉列表里选"
        # 一组组长 is as good as 组长: of a knocker's role the list only proposes.
        chosen.showErrorMessage = heading.text != "身份"
    else:
        name, _, column = heading.from_sheet.partition("!")
        source = f"'{name}'!${column}${HEADER_ROW + 2}:${column}${ROWS}"
        chosen = DataValidation("list", formula1=source, allow_blank=True)
        # Two names in one cell are right too, so the list only proposes.
        chosen.showErrorMessage = False
    chosen.add(cells)
    return chosen
