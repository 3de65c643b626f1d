"""Says a rule book in plain sentences, one for each rule, quiet rule, ladder and threshold, in file order.

Those who answer for the rules read this, not the YAML; so every figure that decides a call is in it. It must never
say more than the book does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from config.choose import ANY
from config.faults import Language, Word
from config.kinds import LEVELS, POST_KINDS, SITE_KINDS, SOURCES
from config.rules import Ladder, LadderStep, Quiet, Rule, RuleBook, Selector, Target, Threshold, Uncovered
from streams.words import Colour

_TARGETS: dict[Target, Word] = {
    "holder": Word("当班人或责任人(A角)", "the holder of the post"),
    "deputy": Word("其B角", "the deputy"),
    "leader": Word("本单位带班领导", "the leader on duty of the unit"),
    "superior": Word("上级单位值班员", "the duty officer of the superior unit"),
}


def explain(book: RuleBook, language: Language = "zh") -> tuple[str, ...]:
    """Return the rules, quiet rules, uncovered warnings, ladders and thresholds of a book, one sentence each.

    Args:
        book: A loaded book.
        language: Chinese or English.
    """
    voice = _Voice(book, language)
    return (
        *(voice.rule(index, rule) for index, rule in enumerate(book.rules)),
        *(voice.quiet(index, quiet) for index, quiet in enumerate(book.quiet)),
        *(voice.uncovered(entry) for entry in book.uncovered),
        *(voice.ladder(name, ladder) for name, ladder in book.ladders.items()),
        *(voice.threshold(row) for row in book.thresholds),
    )


def _meet(some: Collection[str], others: Collection[str]) -> bool:
    """Tell whether two lists share a word."""
    return not set(some).isdisjoint(others)


class _Voice:
    """Speaks of one book in one language."""

    def __init__(self, book: RuleBook, language: Language) -> None:
        self._book = book
        self._language = language
        self._zh = language == "zh"

    def rule(self, index: int, rule: Rule) -> str:
        """Return who is called by a rule, and by which ladder."""
        earlier = self._book.rules[:index]
        rest = any(_meet(rule.colours, other.colours) and _meet(rule.sources, other.sources) for other in earlier)
        kinds, shades = self._hazards(rule.hazards, rest=rest), self._colours(rule.colours)
        sources = self._listed([SOURCES[source].said(self._language) for source in rule.sources])
        posts = (";" if self._zh else "; ").join(self._posts(selector) for selector in rule.posts)
        if self._zh:
            return f"规则{index + 1}({rule.id}):{shades}{sources},{kinds},{self._hours(rule)}:{posts}。"
        return f"Rule {index + 1} ({rule.id}): {shades} {sources}; {kinds}; {self._hours(rule)}: {posts}."

    def quiet(self, index: int, quiet: Quiet) -> str:
        """Return who is not rung, until when, and why."""
        earlier = self._book.quiet[:index]
        rest = any(_meet(quiet.colours, other.colours) and _meet(quiet.levels, other.levels) for other in earlier)
        kinds, shades = self._hazards(quiet.hazards, rest=rest), self._colours(quiet.colours)
        levels = self._listed([LEVELS[level].said(self._language) for level in quiet.levels], ", ")
        if self._zh:
            later = f"留到{quiet.digest_at}汇总告知" if quiet.digest_at else "只发短信告知"
            danger = ",但危险名单上的照常打电话" if quiet.unless_danger else ""
            return f"静默({quiet.id}):{shades},{kinds},不打电话给{levels}岗位,{later}{danger};理由:{quiet.reason}。"
        later = f"held for the digest at {quiet.digest_at}" if quiet.digest_at else "only told by text"
        danger = ", except on the danger list" if quiet.unless_danger else ""
        return (
            f"Quiet ({quiet.id}): {shades}; {kinds}: {levels} posts are not rung but {later}{danger}; {quiet.reason}."
        )

    def uncovered(self, entry: Uncovered) -> str:
        """Return what nobody is called for, and why."""
        kinds, shades = self._hazards(entry.hazards), self._colours(entry.colours)
        if self._zh:
            return f"不叫任何人:{shades}预警,{kinds};理由:{entry.reason}。"
        return f"Nobody is called: {shades} warning; {kinds}; {entry.reason}."

    def ladder(self, name: str, ladder: Ladder) -> str:
        """Return the steps of a ladder with their tries and clocks, and what follows them."""
        steps = [self._step(number, step) for number, step in enumerate(ladder.steps, 1)]
        if self._zh:
            then = "列入上级单位的上门名单" if ladder.then == "door" else "列为未应"
            heard = "听完即算应答" if ladder.heard_counts else "听完还要按键才算应答"
            return (
                f"梯次“{ladder.title}”({name}):{ladder.dial_within_s}秒内拨出;{';'.join(steps)};都未应则{then};"
                f"{heard};代接去叫人最多等{ladder.fetch_s}秒。"
            )
        then = "goes onto the visit list of the superior unit" if ladder.then == "door" else "is shown as unreached"
        heard = "hearing to the end counts" if ladder.heard_counts else "a key is needed after hearing to the end"
        return (
            f"Ladder {name}: dialled within {ladder.dial_within_s} s; {'; '.join(steps)}; "
            f"who never answers {then}; {heard}; somebody fetching the person has {ladder.fetch_s} s."
        )

    def threshold(self, row: Threshold) -> str:
        """Return a sensor limit and what crossing it makes."""
        hazard, colour = self._hazards((row.hazard,)), self._colours((row.colour,))
        if self._zh:
            if row.quantity == "rain_mm":
                limit = f"{row.window_h}小时雨量达到{row.at_least:g}毫米"
            else:
                where = "高于" if row.at_least > 0 else "低于"
                limit = f"水位{where}保证水位{abs(row.at_least):g}米" if row.at_least else "水位达到保证水位"
            return f"阈值:{limit},即{hazard}{colour}监测告警(内部)。"
        if row.quantity == "rain_mm":
            limit = f"{row.at_least:g} mm of rain in {row.window_h} h"
        else:
            limit = f"a level {row.at_least:+g} m from the guarantee level"
        return f"Threshold: {limit} raises the internal alarm {colour} {hazard}."

    def _posts(self, selector: Selector) -> str:
        """Return which posts a selector picks, and how they are reached."""
        kinds = self._listed([POST_KINDS[kind].word.said(self._language) for kind in selector.kinds], ", ")
        level = LEVELS[selector.level].said(self._language)
        sites = self._listed([SITE_KINDS[kind].said(self._language) for kind in selector.site_kinds], ", ")
        if self._zh:
            ladder = self._book.ladders[selector.ladder].title
            where = "点名区域的" if selector.scope == "named" else ""
            how = f"按“{ladder}”梯次打电话给" if selector.mode == "call" else "只发短信给"
            return f"{how}{where}{sites or level}{kinds}"
        where = " in areas named" if selector.scope == "named" else ""
        how = f"ring by ladder {selector.ladder}" if selector.mode == "call" else "only text"
        return f"{how} the {sites or level} posts {kinds}{where}"

    def _step(self, number: int, step: LadderStep) -> str:
        """Return one step of a ladder."""
        to = _TARGETS[step.to].said(self._language)
        if self._zh:
            text = ",同时发全文短信" if step.text else ""
            every = f",每{step.gap_s}秒一次" if step.calls > 1 else ""
            return f"第{number}步叫{to},最多{step.calls}次{every},{step.window_s}秒为限{text}"
        text = ", with the full text by SMS" if step.text else ""
        every = f", {step.gap_s} s apart" if step.calls > 1 else ""
        return f"step {number} rings {to} up to {step.calls} time(s){every}, within {step.window_s} s{text}"

    def _hours(self, rule: Rule) -> str:
        """Return the hours of a rule, or that it always holds."""
        if rule.from_time == rule.to_time:
            return "不论何时" if self._zh else "at any hour"
        if self._zh:
            return f"每天{rule.from_time}至{rule.to_time}"
        return f"between {rule.from_time} and {rule.to_time}"

    def _hazards(self, keys: Sequence[str], *, rest: bool = False) -> str:
        """Return the names of hazards; `rest` where earlier rules may have taken some. Keys read well in English."""
        if ANY in keys and self._zh:
            return "其余灾种" if rest else "所有灾种"
        if ANY in keys:
            return "any other hazard" if rest else "any hazard"
        return self._listed([self._book.hazard(key).name if self._zh else key.replace("_", " ") for key in keys], ", ")

    def _colours(self, colours: Sequence[Colour]) -> str:
        """Return the names of colours."""
        if len(colours) == len(Colour):
            return "任何颜色" if self._zh else "any colour"
        return self._listed([colour.chinese if self._zh else colour.value for colour in colours])

    def _listed(self, words: Sequence[str], english: str = " or ") -> str:
        """Return words as one list; `english` is what stands between them in English."""
        return ("、" if self._zh else english).join(words)
