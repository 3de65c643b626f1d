"""The night that both READMEs tell, made by running it: the red warning of 21:59 and the hour after it.

`python -m tests.house.readme_night` writes it into them. No figure of that night is ever typed by hand.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from agents.callout.state import CALLOUTS, UNANSWERED, Callout, CalloutState
from agents.visit.state import VISITS, ItemState
from config.faults import Language, Word
from streams.ledger.contract import Entry, Where
from streams.replay.night import Night
from streams.replay.scenario import load_scenario, night_of, play
from streams.words import Level, Outcome

ROOT = Path(__file__).parents[2]
READMES: dict[Language, Path] = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
SCENARIO = "zhengzhou-2021-07-20"
END = "2021-07-19 22:59"
BEGIN_MARK, END_MARK = "<!-- night -->\n```text\n", "```\n<!-- /night -->"
LEVELS = {
    Level.COUNTY: Word("县", "county"),
    Level.TOWNSHIP: Word("乡镇", "townships"),
    Level.VILLAGE: Word("村", "villages"),
    Level.SITE: Word("点位", "sites"),
}


def run() -> Night:
    """Run the first hour: its warnings only, for its rain stays below every threshold."""
    scenario = load_scenario(SCENARIO)
    events = tuple(event for event in scenario.events if event.kind == "warning" and event.at <= END)
    night = night_of(scenario)
    return play(scenario.model_copy(update={"events": events, "end": END}), night)


def tell(night: Night, language: Language) -> str:
    """Return the timeline and the 未应名单 in a language."""
    return "\n".join([*_timeline(night, language), "", *_unanswered(night, language)]) + "\n"


def _timeline(night: Night, language: Language) -> Iterator[str]:
    posts = night.callouts()
    lists = night.find(VISITS, order=("opened_at",))
    dialled = sorted(item.first_dial_at for item in posts if item.first_dial_at)
    answered = sorted((item for item in posts if item.answered_at), key=lambda item: (item.answered_at, item.id))
    texted = sum(not item.first_dial_at and item.state is CalloutState.REPLIED for item in posts)
    half = answered[len(posts) // 2 - 1]
    taken = sorted(each.taken_at for each in lists if each.taken_at)
    overdue = min(entry.at for entry in _entries(night, [each.id for each in lists]) if entry.what == "overdue")
    knock_min = night.rules.knobs.visit_knock_s // 60
    levels = Counter(item.level for item in posts)
    spread = "、".join(f"{word.said(language)} {levels[level]}" for level, word in LEVELS.items())
    lost = sum(item.state is CalloutState.LOST for item in posts)
    states = Counter(item.state for item in posts)
    unanswered = states[CalloutState.UNREACHED] + lost

    def line(at: datetime | None, zh: str, en: str) -> str:
        local = (at or night.now).astimezone(night.county.zone)
        return f"{local:%H:%M:%S}  {Word(zh, en).said(language)}"

    spread = spread if language == "zh" else spread.replace("、", ", ")
    yield line(night.started_at, "暴雨红色预警进门", "the red rainstorm warning comes in")
    yield line(posts[0].opened_at, f"开始叫应 {len(posts)} 个岗位：{spread}", f"{len(posts)} posts to wake: {spread}")
    yield line(dialled[0], "第一个电话拨出", "the first telephone rings")
    yield line(
        answered[0].answered_at,
        f"第一个应答：{answered[0].place}，听完按 1",
        f"the first answer: {answered[0].place}, heard to the end, key 1",
    )
    yield line(half.answered_at, "应答过半", "half of them have answered")
    yield line(
        dialled[-1],
        f"{len(dialled)} 个岗位都拨过一遍（另 {texted} 个在电话之前已回短信）",
        f"{len(dialled)} posts were dialled at least once ({texted} had answered the text before)",
    )
    yield line(taken[0], "第一份上门名单有乡镇值班室接下", "the first visit list is taken by a township's duty room")
    yield line(answered[-1].answered_at, "最后一个应答", "the last answer")
    yield line(
        taken[-1], f"{len(taken)} 份上门名单全部有人接下", f"all {len(taken)} visit lists are in somebody's hands"
    )
    yield line(
        overdue,
        f"第一份名单交出满 {knock_min} 分钟：没有回报的地方逐处亮出",
        f"{knock_min} minutes after the first list was handed over: places without a report are shown, one by one",
    )
    confirmed, replied = states[CalloutState.CONFIRMED], states[CalloutState.REPLIED]
    yield line(
        None,
        f"一小时：按键收到 {confirmed}，回短信 {replied}，未应 {unanswered}（其中失联 {lost}）",
        f"after the hour: {confirmed} by key, {replied} by text, {unanswered} unanswered ({lost} of them cut off)",
    )


def _unanswered(night: Night, language: Language) -> Iterator[str]:
    open_places = {item.callout_id: item.state for each in night.find(VISITS) for item in each.items}
    rows = night.find(CALLOUTS, Where("state", "in", UNANSWERED), order=("township", "post_id"))
    yield Word(f"未应名单（{len(rows)}）", f"未应名单: who did not answer ({len(rows)})").said(language)
    for row in rows:
        township = night.county.regions[row.township].name
        post = night.county.posts[row.post_id].name
        yield f"  {township} {post}  {_state(row, open_places.get(row.id), language)}"


def _state(row: Callout, visit: ItemState | None, language: Language) -> str:
    calls = Word(f"拨打 {row.calls} 次", f"{row.calls} calls")
    left = Word("转上门，超时未回报", "visit overdue") if visit is ItemState.OVERDUE else Word("转上门", "visit")
    return ("，" if language == "zh" else ", ").join(word.said(language) for word in (_how(row), calls, left))


def _how(row: Callout) -> Word:
    if row.state is CalloutState.LOST:
        return Word("失联", "cut off")
    if Outcome.CANNOT in row.outcomes:
        return Word("有人按 0 不能到岗", "somebody pressed 0: cannot come")
    return Word("听完未按键", "heard to the end, no key") if row.heard else Word("没叫醒", "not woken")


def _entries(night: Night, subjects: Sequence[str]) -> Iterator[Entry]:
    for subject in subjects:
        yield from night.ledger.step(lambda step, subject=subject: step.entries(subject))


def block(text: str) -> str:
    """Return the part of a README between the marks."""
    return text.partition(BEGIN_MARK)[2].partition(END_MARK)[0]


def main() -> None:
    """Write the night into both READMEs."""
    night = run()
    for language, path in READMES.items():
        text = path.read_text(encoding="utf-8") if path.exists() else BEGIN_MARK + END_MARK
        told = tell(night, language)
        sys.stdout.write(told + "\n")
        path.write_text(text.replace(BEGIN_MARK + block(text), BEGIN_MARK + told), encoding="utf-8")


if __name__ == "__main__":
    main()
