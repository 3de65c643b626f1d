"""What can be wrong with the rule files, said to a person: which file, which line, which field, and what to do.

Every sentence a county may read about its own rules is in the one table here, in Chinese and in English. It must
never stop at the first fault: whoever edits rules wants to see them all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streams.words import Colour

Language = Literal["zh", "en"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Word:
    """One word in the two languages people read."""

    zh: str
    en: str

    def said(self, language: Language) -> str:
        """Return the word in `language`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Fault:
    """One thing wrong: the file, its line (counted from 1), the path of the field, and the reason in words."""

    file: str
    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        """Return the fault as one line: file:line path: reason."""
        return f"{self.file}:{self.line} {self.path or '·'}: {self.reason}"


class ConfigError(Exception):
    """The rule files cannot be used; `faults` holds everything that is wrong with them."""

    def __init__(self, faults: tuple[Fault, ...], language: Language = "zh") -> None:
        self.faults = faults
        head = say("head", language, count=len(faults))
        super().__init__("\n".join([head, *(str(fault) for fault in faults)]))


def spell(path: Path) -> str:
    """Return a path the way people write it: `rules[2].posts[0].ladder`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def say(text: str, language: Language, **values: object) -> str:
    """Return a sentence of the table below with its values filled in, colours and words in the same language.

    A value named `near` is a likely spelling: it becomes a clause of its own, or nothing where there is none.

    Raises:
        KeyError: There is no such sentence, or a value it needs is missing.
    """
    said = {name: _said(value, language) for name, value in values.items()}
    if said.get("near"):
        said["near"] = say("near", language, value=said["near"])
    return Word(*TEXTS[text]).said(language).format(**said)


def _said(value: object, language: Language) -> object:
    """Return a value as it is read in `language`."""
    if isinstance(value, Colour):
        return value.chinese if language == "zh" else value.value
    return value.said(language) if isinstance(value, Word) else value


TEXTS: dict[str, tuple[str, str]] = {
    "head": ("规则有 {count} 处错误,改正后再启动:", "The rules have {count} fault(s); correct them, then start again:"),
    # The file as a whole.
    "no_file": ("找不到文件 {wanted};可用的预设:{known}", "there is no file {wanted}; presets found: {known}"),
    "unreadable": ("文件读不出来:{why};请另存为 UTF-8", "the file cannot be read: {why}; save it as UTF-8"),
    "yaml": ("YAML 写法有误:{why}", "this is not YAML: {why}"),
    "alias": ("不支持锚点和别名(& 与 *),请写全", "anchors and aliases (& and *) are not supported; write it out"),
    "too_deep": ("层层嵌套太多,请检查括号和缩进", "it is nested far too deeply; look at brackets and indents"),
    "empty": ("文件是空的", "the file is empty"),
    "same_key": ("键 {key} 写了两次,只留一个", "the key {key} is written twice; keep one"),
    "hazards_file": ("灾种表有误:{why}", "the table of hazards is wrong: {why}"),
    # The shape of one field.
    "missing": ("缺少这一项", "this is missing"),
    "extra": ("不认识的键,请删去或检查拼写{near}", "unknown key: remove it or check its spelling{near}"),
    "choice": ("写的是 {value},只能是 {expected}", "{value} is not one of {expected}"),
    "number": ("写的是 {value},应为数字,不加引号", "{value} should be a number, without quotes"),
    "whole": ("写的是 {value},应为整数,不加引号", "{value} should be a whole number, without quotes"),
    "truth": ("写的是 {value},应为 true 或 false", "{value} should be true or false"),
    "words": ("写的是 {value},应为文字,请加引号", "{value} should be text; put it in quotes"),
    "list": ("应为列表(每行以 - 开头)", "this should be a list (each line begins with -)"),
    "map": ("应为“键: 值”的形式", "this should be written as key: value"),
    "too_small": ("写的是 {value},不能小于 {limit}", "{value} is too small: at least {limit}"),
    "too_large": ("写的是 {value},不能大于 {limit}", "{value} is too large: at most {limit}"),
    "not_above": ("写的是 {value},必须大于 {limit}", "{value} is too small: it must be more than {limit}"),
    "too_few": ("至少要有 {limit} 项", "at least {limit} item(s) are needed"),
    "too_many": ("最多 {limit} 项", "at most {limit} item(s)"),
    "too_long": ("太长,最多 {limit} 个字", "too long: at most {limit} characters"),
    "time": ("写的是 {value},应为 24 小时制的 HH:MM", "{value} should be a time of day, HH:MM"),
    "id": (
        "写的是 {value},只能用小写字母、数字和连字符",
        "{value} may hold lower-case letters, digits and hyphens only",
    ),
    "shape": ("写法不对:{why}", "not as it should be: {why}"),
    # Between fields.
    "unknown_hazard": (
        "没有灾种 {value}{near};灾种见 hazards.yaml",
        "there is no hazard {value}{near}; see hazards.yaml",
    ),
    "any_alone": ("any 已包括全部灾种,不要再列别的", "any means every hazard already: list nothing beside it"),
    "repeated": ("{value} 写了两次", "{value} is listed twice"),
    "same_id": ("编号 {value} 已被前面用过", "the id {value} is already used above"),
    "no_ladder": (
        "没有名为 {value} 的梯次{near};请在 ladders 里写出",
        "there is no ladder {value}{near}; add it to ladders",
    ),
    "unknown_kind": ("没有岗位类别 {value}{near}", "there is no kind of post {value}{near}"),
    "kind_elsewhere": (
        "{level}没有岗位类别 {value},这样谁也叫不到",
        "no {value} stands at the level {level}: nobody is called",
    ),
    "site_kinds_elsewhere": ("只有 level: site 才能写 site_kinds", "site_kinds belong to level: site only"),
    "unknown_site_kind": ("没有点位类别 {value}{near}", "there is no kind of site {value}{near}"),
    "no_superior": (
        "县级没有上级值班员,梯次 {value} 却有 superior 一步;请换一个梯次",
        "the county has no superior duty officer, yet the ladder {value} has a step superior; use another ladder",
    ),
    "no_door": (
        "县级没有上级单位可派人上门,梯次 {value} 却以 door 结束;请换 then: none 的梯次",
        "no superior unit can send somebody to a county post, yet the ladder {value} ends at the door; use then: none",
    ),
    "same_posts": (
        "前面第 {first} 个选择已包括这些岗位,这一个永远轮不到",
        "selector {first} picks these posts already",
    ),
    "calls_past_window": (
        "{calls} 次呼叫 × 间隔 {gap_s} 秒 = {needed_s} 秒,超出了时限 {window_s} 秒",
        "{calls} calls × {gap_s} s = {needed_s} s do not fit into the window of {window_s} s",
    ),
    "same_step": ("与第 {first} 步完全相同,请删去或合并", "the same as step {first}: remove it or make it one"),
    "dead_rule": ("前面的规则已全部包括它,永远轮不到", "the rules above cover all of it: it can never match"),
    "nobody_rung": ("橙色、红色至少要有一类岗位用电话呼叫", "orange and red must ring somebody: make one mode call"),
    "uncovered": (
        "{colour}{source}没有规则({hours}):{hazards};请补规则,预警也可列入 uncovered",
        "no rule covers a {colour} {source} of {hazards} ({hours}); add one, or list a warning under uncovered",
    ),
    "covered_after_all": (
        "规则已经包括这些,不要再列入 uncovered",
        "rules cover all of this: do not list it as uncovered",
    ),
    "quiet_severe": (
        "不得让{value}静默:橙色、红色必须打电话",
        "{value} must not be made quiet: orange and red always ring",
    ),
    "quiet_blank": ("要写明理由,每次静默都会记入台账", "give the reason: every hold is recorded with it"),
    "quiet_night": (
        "汇总时间 {value} 在夜里,应在 05:00 到 22:00 之间",
        "a digest at {value} comes at night: put it between 05:00 and 22:00",
    ),
    "rain_window": ("雨量阈值要写 window_h(几小时累计)", "a rain threshold needs window_h, the hours summed"),
    "level_window": ("水位阈值不写 window_h", "a level threshold has no window_h"),
    "rain_positive": ("雨量阈值必须大于 0 毫米", "a rain threshold must be above 0 mm"),
    "same_threshold": (
        "与第 {first} 条是同一灾种、要素、时段和颜色",
        "the same hazard, quantity, window and colour as row {first}",
    ),
    "colours_out_of_order": (
        "{colour}的阈值 {value} 应高于{lower}的 {limit}(第 {first} 条)",
        "{colour} at {value} must be above {lower} at {limit} (row {first})",
    ),
    "windows_out_of_order": (
        "{window_h} 小时的阈值 {value} 低于 {shorter_h} 小时的 {limit}(第 {first} 条),后者就没有意义了",
        "{value} in {window_h} h is below {limit} in {shorter_h} h (row {first}), which would then mean nothing",
    ),
    "level_range": ("level_m_min 必须小于 level_m_max", "level_m_min must be below level_m_max"),
    # What is said.
    "unknown_field": ("没有可填的项 {value}{near}", "nothing fills the field {value}{near}"),
    "field_missing": ("这句话里必须有 {value} 这一项", "this sentence must hold the field {value}"),
    "mark_first": (
        "语音要以 mark 开头:演练和测试必须先说",
        "a call must begin with mark: a drill or test says so first",
    ),
    "template": ("花括号写法有误:{why}", "the braces are wrong: {why}"),
    "word_missing": ("缺少 {value} 的说法", "there is no word for {value}"),
    "nothing_said": ("{colour}没有说法:{hazards}", "nothing is said at {colour} about {hazards}"),
    "voice_too_long": (
        "念出来有 {chars} 个字,最多 {limit} 个;最长的地名是{place}:{said}",
        "{chars} characters are spoken, at most {limit} may be; the longest place is {place}: {said}",
    ),
    "text_too_long": (
        "不算全文就有 {chars} 个字,最多 {limit} 个;最长的地名是{place}",
        "{chars} characters without the warning's own text, at most {limit} may be; the longest place is {place}",
    ),
    "gap_too_long": (
        "两次呼叫相隔 {value} 秒;3 分钟内的第二次来电才能突破免打扰,应为 60 至 180 秒",
        "{value} s between calls: only a second call within 3 minutes breaks through do-not-disturb; take 60 to 180",
    ),
    "near": (",是不是 {value}", "; did you mean {value}"),
}
