"""The few shapes of panel that the dashboard is made of, so that `build.py` reads as a list of questions.

Never put here: a query. A figure that must not be missing is asked for with `or vector(-1)`, and -1 is red: to Grafana
no data is grey, and grey would look calm.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="jiaoying-prometheus")
NO_DATA = "无数据 no data"
MISSING = -1.0

Steps = Sequence[tuple[float, str]]
"""From which value on which colour holds, rising; below the first of them it is red."""

Query = tuple[str, str]
"""An expression, and what its series are called."""


def must_have(expr: str) -> str:
    """Return an expression that is -1 where it would have no data."""
    return f"({expr}) or vector({MISSING:g})"


def answer(title: str, why: str, expr: str, unit: str, steps: Steps, texts: dict[str, str] | None = None) -> stat.Panel:
    """Return one large figure, coloured; no data is red.

    Args:
        title: Chinese, then English.
        why: What it means and what to do.
        expr: Gives one value.
        unit: Grafana's word for it.
        steps: Colours by value.
        texts: Said in place of some values.
    """
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .unit(unit)
        .color_mode(options.BigValueColorMode.BACKGROUND)
        .graph_mode(options.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NO_DATA)
        .thresholds(_thresholds(steps))
        .mappings(_mappings({f"{MISSING:g}": NO_DATA, **(texts or {})}))
        .with_target(_target((must_have(expr), ""), "A", instant=True))
    )


def ranking(title: str, why: str, query: Query, steps: Steps) -> bargauge.Panel:
    """Return horizontal bars, one for each series, as they stand now."""
    return (
        bargauge.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .unit("short")
        .decimals(0)
        .min(0)
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NO_DATA)
        .thresholds(_thresholds(steps))
        .with_target(_target(query, "A", instant=True))
    )


def course(title: str, why: str, unit: str, *queries: Query, stacked: bool = False) -> timeseries.Panel:
    """Return lines over time; `stacked` where the series are parts of a whole."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .no_value(NO_DATA)
        .fill_opacity(30 if stacked else 5)
        .show_points(options.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL))
    for letter, query in zip("ABCDEF", queries, strict=False):
        panel.with_target(_target(query, letter, instant=False))
    return panel


def _target(query: Query, ref_id: str, *, instant: bool) -> prometheus.Dataquery:
    expr, legend = query
    target = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref_id).datasource(SOURCE)
    return target.instant() if instant else target.range()


def _thresholds(steps: Steps) -> ThresholdsConfig:
    listed = [Threshold(value=None, color="red"), *(Threshold(value=value, color=colour) for value, colour in steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(listed)


def _mappings(texts: dict[str, str]) -> list[ValueMapping]:
    said: dict[str, ValueMappingResult] = {value: ValueMappingResult(text=text) for value, text in texts.items()}
    nothing = SpecialValueMap()
    nothing.options.match = SpecialValueMatch.NULL_AND_NAN
    nothing.options.result = ValueMappingResult(text=NO_DATA, color="red")
    return [ValueMap(options=said), nothing]
