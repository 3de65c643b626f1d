"""Loading a county folder: what is refused, with file and line, and what is told about readiness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rosters.load import check_county, load_county
from rosters.sheets import CountyError

ZONE = ZoneInfo("Asia/Shanghai")
EIGHT = datetime(2021, 7, 20, 8, tzinfo=ZONE)
INSTANT = timedelta(microseconds=1)

SOUND = {
    "county.yaml": 'code: "419926000000"\nname: 禾溪县\ntimezone: Asia/Shanghai\nhandover: "08:00"\n',
    "regions.csv": (
        "code,name,level,parent,danger\n"
        "419926101000,东镇,township,419926000000,\n"
        "419926101201,柳湾村,village,419926101000,是\n"
        "419926102000,西镇,township,419926000000,\n"
    ),
    "units.csv": "id,name,region,parent\ncounty,县,419926000000,\neast,东镇,419926101000,county\n",
    "sites.csv": "id,name,kind,region\ndam,龙潭水库,reservoir,419926101201\n",
    "posts.csv": (
        "id,unit,name,kind,level,region,site,on_shift,holders\n"
        "east-duty,east,东镇值班员,duty_officer,township,419926101000,,yes,\n"
        "bend-head,east,柳湾村主任,village_head,village,419926101201,,,p1|p2\n"
        "dam-keeper,east,水库责任人,site_keeper,site,419926101201,dam,,p3\n"
    ),
    "people.csv": (
        "id,name,phones\n"
        "p1,王一,sim:room:landline|sim:m1:mobile\n"
        "p2,李二,+8613800000000:mobile\n"
        "p3,张三,sim:m3:mobile\n"
    ),
    "shifts.csv": (
        "post,person,deputy,starts_at,ends_at\n"
        "east-duty,p1,p2,2021-07-19 08:00,2021-07-20 08:00\n"
        "east-duty,p2,,2021-07-20 08:00,2021-07-21 08:00\n"
    ),
    "pattern.csv": "post,turn,person,deputy\neast-duty,1,p1,p2\neast-duty,2,p2,\n",
    "knockers.csv": "region,name,role,phone\n419926101201,赵四,组长,sim:k1\n",
    "stations.csv": (
        "id,name,quantity,region,guarantee_m,alarm_level_m\n"
        "rain-1,东镇雨量站,rain_mm,419926101000,,\n"
        "level-1,东镇水位站,level_m,419926101000,86.5,84\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file, text in SOUND.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    return tmp_path


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    text = SOUND[file]
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_folder_is_a_county(folder: Path) -> None:
    county = load_county(folder)
    assert (county.code, county.name, county.zone.key) == ("419926000000", "禾溪县", "Asia/Shanghai")
    assert county.regions["419926101201"].danger
    assert county.posts["bend-head"].holders == ("p1", "p2")
    assert [phone.number for phone in county.people["p1"].phones] == ["sim:room", "sim:m1"]
    assert county.stations["level-1"].guarantee_m == 86.5


def test_shift_times_are_local_and_exact(folder: Path) -> None:
    county = load_county(folder)
    before, after = county.who("east-duty", EIGHT - INSTANT), county.who("east-duty", EIGHT)
    assert before is not None
    assert after is not None
    assert (before.person.id, after.person.id) == ("p1", "p2")
    assert (before.shift, after.shift) == ("east-duty@2021-07-19T08:00", "east-duty@2021-07-20T08:00")


FAULTS = [
    # file, what is written, what stands there instead, line, a word of the reason
    ("county.yaml", '"419926000000"', '"419926"', 1, "code"),
    ("county.yaml", "Asia/Shanghai", "Asia/Shangai", 3, "timezone"),
    ("county.yaml", '"08:00"', "10:00", 4, "带引号"),
    ("county.yaml", "name: 禾溪县\n", "", 0, "name：不能缺少"),
    ("county.yaml", "name:", "nmae: 1\nname:", 2, "不认识的键"),
    ("county.yaml", "name: 禾溪县", "name: [", 4, "YAML"),
    ("regions.csv", "parent,danger", "parent,dangerous", 1, "不认识的列 dangerous"),
    ("regions.csv", "code,name", "code,code", 1, "缺少列 name"),
    ("regions.csv", "level,parent,danger\n", "level,parent,danger,level\n", 1, "重复的列 level"),
    ("regions.csv", "419926101201", "4199261012", 3, "12 位数字"),
    ("regions.csv", "是", "maybe", 3, "danger"),
    ("regions.csv", "柳湾村,village", "柳湾村,hamlet", 3, "level"),
    ("regions.csv", "柳湾村", "", 3, "name 不能为空"),
    ("regions.csv", "柳湾村,village", "柳湾村", 3, "格数"),
    ("regions.csv", "419926101201,柳湾村", "419926102201,柳湾村", 3, "不在 东镇"),
    ("regions.csv", "village,419926101000", "village,419926109000", 3, "不是本表里的乡镇"),
    ("regions.csv", "419926102000,西镇", "419926101000,西镇", 4, "重复：第 2 行"),
    ("regions.csv", "419926102000,西镇", "419927102000,西镇", 4, "419926"),
    ("regions.csv", "西镇,township,419926000000", "西镇,township,419926101000", 4, "parent"),
    ("regions.csv", "西镇,township", "西镇,county", 4, "county.yaml"),
    ("units.csv", "419926101000,county", "419926101000,conty", 3, "parent conty 不存在"),
    ("units.csv", "419926101000,county", "419926101000,east", 3, "绕成了圈"),
    ("units.csv", "东镇,419926101000", "东镇,419926109000", 3, "region 419926109000 不存在"),
    ("sites.csv", "reservoir", "resevoir", 2, "resevoir"),
    ("sites.csv", "reservoir,419926101201", "reservoir,419926101000", 2, "village"),
    ("posts.csv", "bend-head,east", "bend-head,bend", 3, "unit bend 不存在"),
    ("posts.csv", "bend-head", "east-duty", 3, "重复：第 2 行"),
    ("posts.csv", "village_head", "村主任", 3, "小写英文词"),
    ("posts.csv", "village,419926101201", "village,419926101000", 3, "township"),
    ("posts.csv", "p1|p2", "p1|p9", 3, "holders p9 不存在"),
    ("posts.csv", "p1|p2", "p1|p1", 3, "A 角"),
    ("posts.csv", "dam,,p3", "dme,,p3", 4, "site dme 不存在"),
    ("posts.csv", "dam,,p3", ",,p3", 4, "site 级岗位"),
    ("posts.csv", ",yes,", ",sometimes,", 2, "on_shift"),
    ("people.csv", "sim:m3:mobile", "13800000001:mobile", 4, "phones"),
    ("people.csv", "sim:m3:mobile", "sim:m3:fax", 4, "phones"),
    ("people.csv", "sim:m1:mobile", "sim:room:mobile", 2, "写了两次"),
    ("people.csv", "p3,张三", "p2,张三", 4, "重复：第 3 行"),
    ("shifts.csv", "2021-07-21 08:00", "2021-07-20 08:00", 3, "不晚于开始"),
    ("shifts.csv", "2021-07-21 08:00", "21/7/2021 8:00", 3, "ends_at"),
    ("shifts.csv", "east-duty,p2", "west-duty,p2", 3, "post west-duty 不存在"),
    ("shifts.csv", "east-duty,p2", "bend-head,p2", 3, "不轮班"),
    ("shifts.csv", "p1,p2", "p1,p1", 2, "B 角"),
    ("shifts.csv", "p1,p2", "p9,p2", 2, "person p9 不存在"),
    ("shifts.csv", "east-duty,p2,,2021-07-20", "east-duty,p2,,2021-07-19", 3, "重复：第 2 行"),
    ("pattern.csv", "east-duty,2", "east-duty,3", 3, "连续编号"),
    ("pattern.csv", "east-duty,2", "east-duty,1", 3, "重复：第 2 行"),
    ("pattern.csv", "east-duty,2", "east-duty,two", 3, "turn"),
    ("knockers.csv", "419926101201", "419926101209", 2, "region 419926101209 不存在"),
    ("knockers.csv", "sim:k1", "110", 2, "电话"),
    ("stations.csv", "86.5", "", 3, "保证水位"),
    ("stations.csv", "86.5", "high", 3, "guarantee_m"),
    ("stations.csv", "rain_mm", "rain", 2, "quantity"),
    ("stations.csv", "level-1", "rain-1", 3, "重复"),
]


@pytest.mark.parametrize(("file", "old", "new", "line", "reason"), FAULTS)
def test_a_fault_is_told_with_its_file_and_line(
    folder: Path, file: str, old: str, new: str, line: int, reason: str
) -> None:
    spoil(folder, file, old, new)
    with pytest.raises(CountyError) as caught:
        load_county(folder)
    there = [fault for fault in caught.value.faults if (fault.file, fault.line) == (file, line)]
    assert any(reason in fault.reason and fault.english for fault in there), str(caught.value)


@pytest.mark.parametrize("file", ["county.yaml", "regions.csv", "units.csv", "posts.csv", "people.csv"])
def test_a_sheet_that_must_be_there_is_missed(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CountyError) as caught:
        load_county(folder)
    assert (file, 0) in [(fault.file, fault.line) for fault in caught.value.faults]
    assert "缺少这个文件" in str(caught.value)


def test_a_county_without_sites_shifts_and_stations_is_still_a_county(folder: Path) -> None:
    for file in ("shifts.csv", "pattern.csv", "knockers.csv", "stations.csv"):
        (folder / file).unlink()
    assert load_county(folder).who("east-duty", EIGHT) is None


def test_all_faults_are_told_at_once(folder: Path) -> None:
    spoil(folder, "people.csv", "sim:m3:mobile", "sim:m3")
    spoil(folder, "stations.csv", "rain_mm", "rain")
    with pytest.raises(CountyError) as caught:
        load_county(folder)
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("people.csv", 4), ("stations.csv", 2)]


def test_a_faulty_phone_is_not_printed(folder: Path) -> None:
    spoil(folder, "people.csv", "sim:m3:mobile", "13800000001:mobile")
    with pytest.raises(CountyError) as caught:
        load_county(folder)
    assert "13800000001" not in str(caught.value)


def test_a_sheet_in_another_encoding_says_how_to_save_it(folder: Path) -> None:
    (folder / "people.csv").write_bytes(SOUND["people.csv"].encode("gb18030"))
    with pytest.raises(CountyError, match="CSV UTF-8"):
        load_county(folder)


def test_an_unclosed_quote_is_a_fault_and_no_traceback(folder: Path) -> None:
    spoil(folder, "people.csv", "张三", '"张三')
    with pytest.raises(CountyError, match="CSV 格式有误"):
        load_county(folder)


def test_a_byte_order_mark_and_empty_rows_are_tolerated(folder: Path) -> None:
    (folder / "people.csv").write_text("\ufeff" + SOUND["people.csv"] + ",,\n\n", encoding="utf-8")
    assert len(load_county(folder).people) == 3


def test_without_a_time_only_written_shifts_exist(folder: Path) -> None:
    assert load_county(folder).who("east-duty", datetime(2021, 7, 25, tzinfo=UTC)) is None


def test_the_pattern_takes_turns_day_by_day_where_nothing_is_written(folder: Path) -> None:
    county = load_county(folder, around=EIGHT)
    held = [county.who("east-duty", EIGHT + timedelta(days=n)) for n in (1, 2, 3, 4)]
    assert [one.person.id for one in held if one] in (["p1", "p2"] * 2, ["p2", "p1"] * 2)


def test_written_shifts_win_over_the_pattern_and_a_hole_stays_a_hole(folder: Path) -> None:
    text = SOUND["shifts.csv"].replace("2021-07-20 08:00,2021-07-21 08:00", "2021-07-22 08:00,2021-07-23 08:00")
    (folder / "shifts.csv").write_text(text, encoding="utf-8")
    county = load_county(folder, around=EIGHT)
    assert county.who("east-duty", EIGHT) is None
    assert check_county(county, EIGHT - timedelta(days=9), 30)[0].endswith("2021-07-20 08:00 – 2021-07-22 08:00")


def test_the_version_names_the_files_and_not_the_time_of_loading(folder: Path) -> None:
    version = load_county(folder).version
    assert load_county(folder, around=EIGHT).version == version
    spoil(folder, "people.csv", "张三", "张小三")
    assert load_county(folder).version != version


def test_readiness_tells_gaps_empty_posts_silent_people_and_shared_mobiles(folder: Path) -> None:
    spoil(folder, "posts.csv", "p1|p2", "")
    people = "id,name,phones\np1,王一,sim:m1:mobile\np2,李二,sim:m1:mobile\np3,张三,\np4,旁人,\n"
    (folder / "people.csv").write_text(people, encoding="utf-8")
    assert check_county(load_county(folder), EIGHT, 3) == (
        "没有责任人：柳湾村主任（bend-head）",
        "无人值班：东镇值班员（east-duty），2021-07-21 08:00 – 2021-07-23 08:00",
        "没有电话：张三（p3）",
        "共用一部手机（提示）：王一、李二（p1, p2）",
    )


def test_readiness_is_told_in_english_when_asked(folder: Path) -> None:
    assert check_county(load_county(folder), EIGHT, 3, language="en") == (
        "nobody on duty: east-duty, 2021-07-21 08:00 – 2021-07-23 08:00",
    )
