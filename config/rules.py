"""The 叫应 rules as data: who is called for which hazard and colour, by which ladder, when quietly.

Loaded and checked by `config/load.py`; nothing here reads a file. Thresholds, clocks and ladders are what a county
sets for itself; none of them is law.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.speech import Speech, own_speech
from streams.words import Colour, Level, Model

Source = Literal["warning", "order", "monitor"]
Target = Literal["holder", "deputy", "leader", "superior"]


class Hazard(Model):
    """A kind of warning.

    Args:
        key: English snake case, the word in code, topics and metrics.
        name: 中文名, as it is spoken.
        codes: Event codes of the 国突 table, without the colour suffix (11B03 …).
        words: Words in headlines and texts that mean this hazard.
        valid_h: Default validity in hours where a warning names no end.
        action: The one action a voice call asks for, a short Chinese sentence.
    """

    key: str = Field(pattern=r"^[a-z][a-z_]*$")
    name: str
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    valid_h: float = Field(gt=0, le=240)
    action: str = Field(max_length=30)


class LadderStep(Model):
    """One step: ring `to` up to `calls` times, `gap_s` from one dialling to the next, within `window_s` of the first.

    `to`: holder = who holds the post (A角); deputy = its B角; leader = the leader on duty of the post's unit;
    superior = the duty officer of the superior unit. `text` sends the full text by SMS when the step begins.
    A first step with more than one call has a `gap_s` of 180 at the most (`config/checks.py`): the second call from
    the same number within three minutes breaks through many telephones' do-not-disturb.
    """

    to: Target
    calls: int = Field(ge=1, le=9)
    gap_s: int = Field(ge=60, le=600)
    window_s: int = Field(ge=60, le=3600)
    text: bool = False


class Ladder(Model):
    """The steps of one callout, frozen into it when it opens.

    Args:
        dial_within_s: A step not dialled by then is late: a trouble is shown; at twice that the ladder goes on.
        then: What follows the last step: door = onto the visit list of the superior unit; none = shown as unreached.
        heard_counts: Whether hearing to the end without a key counts as the receipt in this county.
        fetch_s: How long key 2 (代接去叫人) keeps it open before it rings again.
        human_first_s: So long the first call is left to a person of the duty room (我来打); 0 = the machine calls at
            once. Where nobody writes down what came of it, the machine calls then.
    """

    title: str
    dial_within_s: int = Field(default=180, ge=10, le=3600)
    steps: tuple[LadderStep, ...] = Field(min_length=1, max_length=6)
    then: Literal["door", "none"] = "door"
    heard_counts: bool = False
    fetch_s: int = Field(default=180, ge=30, le=900)
    human_first_s: int = Field(default=0, ge=0, le=900)


class Selector(Model):
    """Which posts: of a level, by function, of kinds of sites.

    `scope` named = only in areas the warning names, where it names any; all = everywhere in its regions. `priority`
    orders the calls of one colour, higher first.
    """

    level: Level
    kinds: tuple[str, ...] = Field(min_length=1)
    site_kinds: tuple[str, ...] = ()
    scope: Literal["all", "named"] = "all"
    mode: Literal["call", "message"] = "call"
    ladder: str
    priority: int = Field(default=0, ge=0, le=9)


class Rule(Model):
    """Hazards × colours × sources → posts.

    `from_time` and `to_time` (county time, HH:MM) limit the hours; equal means all day.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    hazards: tuple[str, ...] = Field(min_length=1)
    colours: tuple[Colour, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = ("warning", "order", "monitor")
    from_time: str = Field(default="00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    to_time: str = Field(default="00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    posts: tuple[Selector, ...] = Field(min_length=1)


class Quiet(Model):
    """Posts that are not rung: held for one digest at `digest_at`, or only told, with the reason that is recorded.

    `unless_danger` lets posts of regions and sites on the danger list ring all the same. Hours as in Rule.
    """

    id: str
    hazards: tuple[str, ...]
    colours: tuple[Colour, ...]
    levels: tuple[Level, ...]
    digest_at: str | None = Field(default="06:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    unless_danger: bool = True
    reason: str


class Threshold(Model):
    """A sensor limit. Rain: `window_h` sums of `at_least` mm; level: metres over the station's guarantee level."""

    hazard: str
    quantity: Literal["rain_mm", "level_m"]
    window_h: int | None = Field(default=None, ge=1, le=72)
    at_least: float
    colour: Colour


class Uncovered(Model):
    """Warnings that the county decided to call nobody for, and why."""

    hazards: tuple[str, ...] = Field(min_length=1)
    colours: tuple[Colour, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)


DayTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class DutyKnobs(Model):
    """What the machine does about handovers and shifts; all of it off until a county switches it on.

    Args:
        handovers: Open a record for each change of a duty post, and say aloud when nobody took it over.
        handover_open_s: So long before a shift its record is opened.
        handover_late_s: So long after its start an untaken shift is a trouble, and who was on duty is held over.
        equipment: What is looked at when a shift is handed over (卫星电话, 发电机 …); whoever leaves says of each.
        notices: Send shift notices, the morning list, the reminder of the zero report and the readiness digest.
        notice_before_min: So long before a shift its person is told of it.
        morning_list_at: When the leaders on duty get the list of the day, county time.
        zero_report_at: When duty posts are reminded of the daily zero report (零报告), county time.
        zero_report_late_min: So long after it, who has not reported is a trouble.
        readiness_at: When the county's leader on duty is told what the coming 14 days lack; nothing when all is well.
    """

    handovers: bool = False
    handover_open_s: int = Field(default=900, ge=0, le=7200)
    handover_late_s: int = Field(default=600, ge=60, le=7200)
    equipment: tuple[str, ...] = ()
    notices: bool = False
    notice_before_min: int = Field(default=60, ge=5, le=1440)
    morning_list_at: DayTime = "08:00"
    zero_report_at: DayTime = "16:30"
    zero_report_late_min: int = Field(default=60, ge=5, le=720)
    readiness_at: DayTime = "15:00"


class SummaryPosts(Model):
    """Who gets a summary: posts of a level, by function. Of a township's, each is told of its own township."""

    level: Literal[Level.COUNTY, Level.TOWNSHIP]
    kinds: tuple[str, ...] = Field(min_length=1)


class SummaryKnobs(Model):
    """What leaders are told of a round under way, by township: 应叫, 已应, 未应; instead of a call for each village.

    Args:
        posts: Who is told; nobody where none is named.
        colours: Of which rounds.
        at_min: So many minutes after a round was opened.
        every_min: So often after the last of these.
        by: text, or call: rung once, beside the text.
        until_h: No longer than this, whatever is still open.
    """

    posts: tuple[SummaryPosts, ...] = ()
    colours: tuple[Colour, ...] = (Colour.ORANGE, Colour.RED)
    at_min: tuple[Annotated[int, Field(ge=1, le=240)], ...] = Field(default=(5, 15), min_length=1)
    every_min: int = Field(default=30, ge=5, le=240)
    by: Literal["text", "call"] = "text"
    until_h: float = Field(default=12.0, gt=0, le=48)


class Knobs(Model):
    """Clocks and limits of a county that belong to no single ladder.

    `order_ladder` rings a duty room about a visit list, a lone gauge or an unclear warning, and whoever took over a
    shift meanwhile; `notice_ladder` tells once of a cancellation, a correction or a fall in colour. `voice_chars_max`
    counts a whole call, keys included, in Chinese characters; other languages may take as many seconds.
    `lost_village_s`: all phones of a village switched off or without coverage within so long means 失联.
    """

    awake_h: float = Field(default=6.0, ge=0, le=48)
    gate_s: int = Field(default=90, ge=0, le=600)
    visit_gather_s: int = Field(default=30, ge=0, le=600)
    visit_knock_s: int = Field(default=1200, ge=60, le=7200)
    order_ladder: str = "duty"
    notice_ladder: str = "notice"
    duty: DutyKnobs = DutyKnobs()
    summary: SummaryKnobs = SummaryKnobs()
    voice_chars_max: int = Field(default=80, ge=40, le=200)
    speech_language: Literal["zh", "en"] = "zh"
    lost_village_s: int = Field(default=600, ge=60, le=3600)
    readings_late_h: float = Field(default=24.0, ge=1, le=72)
    rain_mm_max_per_reading: float = Field(default=300.0, gt=0)
    level_m_min: float = -50.0
    level_m_max: float = 9000.0


class RuleBook(Model):
    """Everything a county set, whole and checked. `hash` names this very content."""

    preset: str
    hazards: tuple[Hazard, ...]
    ladders: dict[str, Ladder]
    rules: tuple[Rule, ...]
    quiet: tuple[Quiet, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    knobs: Knobs = Knobs()
    speech: Speech = Field(default_factory=own_speech)
    hash: str = ""

    def hazard(self, key: str) -> Hazard:
        """Return a hazard by its key.

        Raises:
            KeyError: The key is not in config/hazards.yaml.
        """
        for hazard in self.hazards:
            if hazard.key == key:
                return hazard
        raise KeyError(key)
