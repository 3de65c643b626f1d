"""The dashboard as code: `python -m config.grafana.build` writes dashboards/jiaoying.json.

First row: can it call now? Second: who has not answered, by township. The rest explains. Figures of how things stand
are the same in every process, so their maximum is taken; counts are each process's own, so they are summed.
"""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import CustomVariable, Dashboard, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableOption

from config.grafana.panels import answer, course, ranking

TARGET = Path(__file__).parent / "dashboards" / "jiaoying.json"
DAY_S = 86_400.0
REALM = 'realm_kind="$realm_kind"'
VOICE = f'channel="voice",{REALM}'


def build() -> str:
    """Return the dashboard as JSON, the same every time."""
    board = (
        Dashboard("叫应 jiaoying")
        .uid("jiaoying")
        .description("现在能叫应吗？谁还没应？ Can it call now? Who has not answered?")
        .tags(["jiaoying"])
        .refresh("5s")
        .time("now-3h", "now")
        .timezone("browser")
        .readonly()
        .with_variable(_realm_kind())
    )
    _can_it_call(board)
    _who_is_unreached(board)
    _what_happened(board)
    _how_fast(board)
    _the_machine(board)
    encoded = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(board.build())
    return encoded + "\n"


def _realm_kind() -> CustomVariable:
    real = VariableOption(text="real", value="real", selected=True)
    return (
        CustomVariable("realm_kind")
        .label("域 realm")
        .values("real,drill,check")
        .current(real)
        .hide(VariableHide.DONT_HIDE)
    )


def _can_it_call(board: Dashboard) -> None:
    board.with_row(Row("现在能叫应吗？ Can it call now?"))
    panels = (
        answer(
            "上次叫通 Last good call",
            "距上一次有人接听、听完并按键确认的时间；超过一天请打一次试验电话。"
            " Since a call was last confirmed by a key; after a day, make a test call.",
            "max(max by (carrier) (jiaoying_last_good_call_seconds))",
            "s",
            ((0, "green"), (DAY_S, "orange"), (2 * DAY_S, "red")),
        ),
        answer(
            "线路够不够 Pace: available ÷ needed",
            "每秒可拨数除以全县红色预警时所需数；不足 100% 就不能按时拨完。"
            " Calls a second available, by those that red for the whole county needs.",
            "sum(max by (carrier) (jiaoying_calls_per_second_available)) / max(jiaoying_calls_per_second_needed)",
            "percentunit",
            ((1, "orange"), (1.5, "green")),
        ),
        answer(
            "需要 Needed, calls/s",
            "全县红色预警时每秒要拨多少。 What red for the whole county needs.",
            "max(jiaoying_calls_per_second_needed)",
            "short",
            ((0, "blue"),),
        ),
        answer(
            "无人在岗 Nobody on duty",
            "此刻没有人值守的岗位数；请补排班。 Posts that nobody holds now; fill the roster.",
            "sum(max by (level) (jiaoying_posts_nobody_on_duty))",
            "short",
            ((0, "green"), (1, "red")),
        ),
        answer(
            "最久逾期 Oldest overdue step",
            "到时未走的最早一步；超过 10 秒说明工作进程停了。 Above 10 s no worker takes the due steps.",
            "max(jiaoying_overdue_seconds)",
            "s",
            ((0, "green"), (5, "orange"), (10, "red")),
        ),
        answer(
            "台账 Ledger",
            "台账能否读写。 Whether the ledger answers.",
            "min(jiaoying_ledger_up)",
            "short",
            ((1, "green"),),
            {"1": "正常 well", "0": "不可用 away"},
        ),
    )
    for panel in panels:
        board.with_panel(panel.height(5).span(4))


def _who_is_unreached(board: Dashboard) -> None:
    board.with_row(Row("未应，按乡镇 Unreached by township"))
    calm = ((0, "green"), (1, "orange"), (5, "red"))
    board.with_panel(
        ranking(
            "未应 Unreached",
            "三天内未应的叫应任务，含失联。 Callouts of three days that nobody answered.",
            (f"sort_desc(max by (township) (jiaoying_unreached{{{REALM}}}))", "{{township}}"),
            calm,
        )
        .height(10)
        .span(12)
    )
    board.with_panel(
        ranking(
            "转上门 To be visited",
            "上门名单上的处所，按状态。 Places on visit lists.",
            (f"max by (state) (jiaoying_visit_places{{{REALM}}})", "{{state}}"),
            ((0, "blue"),),
        )
        .height(10)
        .span(8)
    )
    board.with_panel(
        answer(
            "名单无人接 List not taken",
            "最早一份无人接手的上门名单；请打电话给该乡镇。 The oldest visit list that nobody took; ring the township.",
            f"max(jiaoying_list_not_taken_seconds{{{REALM}}})",
            "s",
            ((0, "green"), (300, "orange"), (600, "red")),
        )
        .height(10)
        .span(4)
    )


def _what_happened(board: Dashboard) -> None:
    board.with_row(Row("发生了什么 What happened"))
    panels = (
        course(
            "预警与指令 Warnings and orders",
            "进来的预警、指令、监测告警，以及时间引起的变动。 What came in, and what it did.",
            "short",
            (
                f"sum by (source, reason) (increase(jiaoying_warnings_total{{{REALM}}}[$__rate_interval])) > 0",
                "{{source}} {{reason}}",
            ),
        ),
        course(
            "叫应任务 Callouts by state",
            "叫应任务现在的状态。 How callouts stand.",
            "short",
            (f"max by (state) (jiaoying_callouts_by_state{{{REALM}}}) > 0", "{{state}}"),
            stacked=True,
        ),
        course(
            "呼叫结果 Outcomes of calls",
            "每次呼叫怎样结束。 How calls ended.",
            "short",
            (
                f"sum by (outcome) (increase(jiaoying_attempts_total{{{VOICE}}}[$__rate_interval])) > 0",
                "{{outcome}}",
            ),
            stacked=True,
        ),
        course(
            "无人可叫 Nobody to ring",
            "拨号时岗位无人、无号码或号码未获准。 Nobody on duty, no phone, or a number that is not approved.",
            "short",
            (
                f"sum by (because) (increase(jiaoying_nobody_on_duty_total{{{REALM}}}[$__rate_interval])) > 0",
                "{{because}}",
            ),
        ),
    )
    for panel in panels:
        board.with_panel(panel.height(8).span(12))


def _how_fast(board: Dashboard) -> None:
    board.with_row(Row("快慢 How fast"))
    panels = (
        _quantiles("到首次拨出 To the first dialling", "jiaoying_seconds_to_dial_bucket", (0.5, 0.9, 0.99)),
        _quantiles("到按键确认 To the key", "jiaoying_seconds_to_confirm_bucket", (0.5, 0.9, 0.99)),
        course(
            "排队 Waiting to be dialled",
            "最早一项待拨等了多久。 How long the oldest wanted call or message has waited.",
            "s",
            ("max by (channel) (jiaoying_waiting_to_dial_seconds)", "{{channel}}"),
        ),
    )
    for panel in panels:
        board.with_panel(panel.height(8).span(8))


def _the_machine(board: Dashboard) -> None:
    board.with_row(Row("机器 The machine"))
    panels = (
        course(
            "死信 Dead letters",
            "被拒或处理不了的输入，都留有原文。 Input refused or not handled; its bytes are kept.",
            "short",
            ("sum by (door) (increase(jiaoying_dead_letters_total[$__rate_interval])) > 0", "{{door}}"),
        ),
        course(
            "未处理信件 Open letters",
            "按主题，含等到时候才发的。 By topic, with those held back for later.",
            "short",
            ("max by (topic) (jiaoying_open_letters) > 0", "{{topic}}"),
        ),
        course(
            "滞后 Lag",
            "最早一封到时未处理的信件，最早一步逾期。 The oldest letter that is due, the oldest step that is due.",
            "s",
            ("max(jiaoying_oldest_letter_seconds)", "信件 letter"),
            ("max by (table) (jiaoying_overdue_seconds)", "{{table}}"),
        ),
        course(
            "待办的问题 Open troubles",
            "要人处理、还没有关闭的。 What a person must look at.",
            "short",
            (f"max by (kind) (jiaoying_open_troubles{{{REALM}}}) > 0", "{{kind}}"),
        ),
        course(
            "监测数据 Readings",
            "每秒收到的数据，按结果；沉默的站。 Readings a second by what became of them; silent stations.",
            "short",
            (
                "sum by (verdict) (max by (realm_kind, verdict) (rate(jiaoying_readings_total[$__rate_interval]))) > 0",
                "{{verdict}}",
            ),
            ("max(jiaoying_stations_silent)", "沉默的站 silent stations"),
        ),
        course(
            "步数 Steps a second",
            "各房间写下的步数。 Entries written, by room.",
            "short",
            ("sum by (room) (rate(jiaoying_steps_total[$__rate_interval]))", "{{room}}"),
        ),
    )
    for panel in panels:
        board.with_panel(panel.height(8).span(8))


def _quantiles(title: str, bucket: str, quantiles: tuple[float, ...]) -> timeseries.Panel:
    queries = (
        (
            f"histogram_quantile({quantile}, sum by (le) (rate({bucket}{{{REALM}}}[$__rate_interval])))",
            f"p{quantile * 100:g}",
        )
        for quantile in quantiles
    )
    return course(title, "从开始叫应算起。 Counted from the opening of a callout.", "s", *queries)


def main() -> None:
    """Write the JSON that Grafana reads."""
    TARGET.write_text(build(), encoding="utf-8")


if __name__ == "__main__":
    main()
