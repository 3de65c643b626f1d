"""The rule book: what loads, what is refused, and what the hash stands for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.faults import TEXTS, ConfigError, Fault
from config.load import OWN_FOLDER, hash_of, load_rules
from config.rules import RuleBook

PRESETS = ("mianxian", "simple")
FAULTY = sorted((Path(__file__).parent / "faulty_rules").glob("*.yaml"))
HERE = "# <- here"


@pytest.fixture
def rules_folder(tmp_path: Path) -> Path:
    """Return a folder with the project's own rule files, to be spoilt."""
    (tmp_path / "presets").mkdir()
    for name in ("hazards.yaml", "thresholds.yaml", "presets/mianxian.yaml"):
        shutil.copy(OWN_FOLDER / name, tmp_path / name)
    return tmp_path


def refusal(folder: Path, language: str = "zh", preset: str = "mianxian") -> tuple[Fault, ...]:
    """Return why a folder of rules is refused."""
    with pytest.raises(ConfigError) as caught:
        load_rules(folder, preset=preset, language=language)
    return caught.value.faults


def place(faulty: Path, folder: Path) -> str:
    """Put a faulty file where its sound counterpart stands, and return that name."""
    name = "thresholds.yaml" if faulty.name.startswith("thresholds_") else "presets/mianxian.yaml"
    shutil.copy(faulty, folder / name)
    return name


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_loads_without_a_fault(preset: str) -> None:
    assert load_rules(preset=preset).preset == preset


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda file: file.stem)
def test_a_faulty_file_is_refused_with_its_path_line_and_reason(faulty: Path, rules_folder: Path) -> None:
    content = faulty.read_text(encoding="utf-8").splitlines()
    path, reason = content[0].removeprefix("# fault: ").split(": ", 1)
    marked = [number for number, line in enumerate(content, 1) if HERE in line]
    name = place(faulty, rules_folder)
    (fault,) = refusal(rules_folder)
    assert (fault.file, fault.path, [fault.line]) == (name, path, marked or [1])
    assert reason in fault.reason


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda file: file.stem)
def test_a_faulty_file_is_refused_in_english_without_a_chinese_word(faulty: Path, rules_folder: Path) -> None:
    place(faulty, rules_folder)
    (fault,) = refusal(rules_folder, "en")
    assert [letter for letter in fault.reason if "一" <= letter <= "鿿"] == []


def test_there_is_a_faulty_file_for_at_least_twenty_five_faults() -> None:
    assert len(FAULTY) >= 25


def test_every_sentence_has_the_same_values_in_both_languages() -> None:
    def values(sentence: str) -> set[str]:
        return {part.split("}")[0] for part in sentence.split("{")[1:]}

    assert [name for name, (zh, en) in TEXTS.items() if values(en) - values(zh)] == []


def test_all_faults_of_all_files_come_at_once(rules_folder: Path) -> None:
    preset = rules_folder / "presets" / "mianxian.yaml"
    preset.write_text(preset.read_text(encoding="utf-8").replace("ladder: county", "ladder: conty"), encoding="utf-8")
    limits = rules_folder / "thresholds.yaml"
    limits.write_text(limits.read_text(encoding="utf-8").replace("hazard: flood", "hazard: floods"), encoding="utf-8")
    files = [fault.file for fault in refusal(rules_folder)]
    assert files.count("thresholds.yaml") == 3
    assert files.count("presets/mianxian.yaml") == 7


def test_a_missing_preset_names_those_that_are_there(rules_folder: Path) -> None:
    (fault,) = refusal(rules_folder, preset="mianxain")
    assert "可用的预设:mianxian" in fault.reason


def test_a_missing_table_of_hazards_is_a_fault_and_no_crash(rules_folder: Path) -> None:
    (rules_folder / "hazards.yaml").unlink()
    assert [fault.file for fault in refusal(rules_folder)] == ["hazards.yaml"]


def test_bytes_that_are_no_utf8_are_a_fault_and_no_crash(rules_folder: Path) -> None:
    (rules_folder / "thresholds.yaml").write_bytes("阈值".encode("gbk"))
    (fault,) = refusal(rules_folder)
    assert "UTF-8" in fault.reason


def test_a_file_that_begins_with_a_byte_order_mark_loads(rules_folder: Path) -> None:
    limits = rules_folder / "thresholds.yaml"
    limits.write_bytes(b"\xef\xbb\xbf" + limits.read_bytes())
    assert load_rules(rules_folder).thresholds == load_rules().thresholds


def test_the_error_lists_each_fault_on_a_line_with_file_and_line(rules_folder: Path) -> None:
    shutil.copy(Path(__file__).parent / "faulty_rules" / "thresholds_same_row.yaml", rules_folder / "thresholds.yaml")
    with pytest.raises(ConfigError) as caught:
        load_rules(rules_folder)
    head, line = str(caught.value).splitlines()
    assert "1 处错误" in head
    assert line.startswith("thresholds.yaml:4 thresholds[1]: ")


def test_an_unquoted_late_hour_is_an_hour_and_no_number(rules_folder: Path) -> None:
    preset = rules_folder / "presets" / "mianxian.yaml"
    content = preset.read_text(encoding="utf-8")
    preset.write_text(content.replace('digest_at: "06:30"', "digest_at: 20:30"), encoding="utf-8")
    assert {quiet.digest_at for quiet in load_rules(rules_folder).quiet} == {"20:30"}


def test_a_warning_listed_as_uncovered_needs_no_rule(rules_folder: Path) -> None:
    preset = rules_folder / "presets" / "mianxian.yaml"
    shutil.copy(Path(__file__).parent / "faulty_rules" / "preset_warning_without_rule.yaml", preset)
    listed = "uncovered:\n  - {hazards: [any], colours: [blue], reason: 蓝色只看不叫}\n"
    preset.write_text(preset.read_text(encoding="utf-8") + listed, encoding="utf-8")
    assert load_rules(rules_folder).uncovered[0].reason == "蓝色只看不叫"


def test_comments_and_layout_do_not_change_the_hash(rules_folder: Path) -> None:
    preset = rules_folder / "presets" / "mianxian.yaml"
    bare = [line for line in preset.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    preset.write_text("\n".join(bare), encoding="utf-8")
    assert load_rules(rules_folder).hash == load_rules().hash


def test_one_second_of_one_step_changes_the_hash(rules_folder: Path) -> None:
    preset = rules_folder / "presets" / "mianxian.yaml"
    content = preset.read_text(encoding="utf-8")
    preset.write_text(content.replace("window_s: 300", "window_s: 301", 1), encoding="utf-8")
    assert load_rules(rules_folder).hash != load_rules().hash


def test_the_hash_is_that_of_the_content_it_travels_with() -> None:
    book = load_rules()
    assert hash_of(RuleBook.model_validate_json(book.model_dump_json())) == book.hash
