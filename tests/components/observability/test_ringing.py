"""When an alarm rings, and when it does not: CloudWatch's evaluation, computed here for what may happen."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import pytest

from components.settings import SettingsError
from tests.conftest import declare
from tests.declared_stack import Declared, DeclaredStack
from tests.metrics import Seen, alarms, queries_of

Value: TypeAlias = float | None
"""A value of a metric in a period; None where it has none."""

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


@pytest.fixture(scope="module")
def everything() -> DeclaredStack:
    """A stage with every alarm."""
    return declare(
        "prod", overrides={"deliveryEndpoint": "https://receiver.example.com/files", "silenceAlarmHours": 24}
    )


def evaluate(node: ast.expr, values: Mapping[str, Value]) -> tuple[Value, bool]:
    """Compute metric math for one period: the value, and whether it is a series.

    CloudWatch User Guide, Metric math syntax and functions: arithmetic, and comparisons between two series, take what
    is missing in one for 0; a comparison with a number has no value where the series has none; what would be divided
    by 0 is dropped.
    """
    operators: dict[type, Callable[[float, float], float]] = {
        ast.Add: operator.add,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Gt: operator.gt,
    }
    if isinstance(node, ast.Name):
        return values[node.id], True
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int)
        return float(node.value), False
    if isinstance(node, ast.BinOp):
        (left, left_series), (right, right_series) = evaluate(node.left, values), evaluate(node.right, values)
        kind: type = type(node.op)
    else:
        assert isinstance(node, ast.Compare)
        (left, left_series), (right, right_series) = evaluate(node.left, values), evaluate(node.comparators[0], values)
        kind = type(node.ops[0])
        if not (left_series and right_series) and None in (left, right):
            return None, True
    series = left_series or right_series
    if series and all(value is None for value, of in ((left, left_series), (right, right_series)) if of):
        return None, True
    if kind is ast.Div and not right:
        return None, True
    return float(operators[kind](left or 0, right or 0)), series


def name_of(metric: Seen) -> str:
    """How many values a metric has is told by another name than what they add up to."""
    return f"{metric.name}, count" if metric.statistic == "SampleCount" else metric.name


def rings(alarm: Declared, *periods: Mapping[str, float], before: bool = False) -> bool:
    """Whether an alarm rings after these periods: the name of a metric → its value, if it has one."""
    past: list[Value] = []
    for period in periods:
        if "metricQueries" in alarm.inputs:
            formula = str(alarm.parts("metricQueries")[0]["expression"])
            values = {name: period.get(name_of(metric)) for name, metric in queries_of(alarm).items()}
            past.append(evaluate(ast.parse(formula, mode="eval").body, values)[0])
        else:
            past.append(period.get(alarm.text("metricName")))
    compare = COMPARISONS[alarm.text("comparisonOperator")]
    count, missing = int(alarm.number("evaluationPeriods")), alarm.text("treatMissingData")
    assert len(past) >= count
    last = past[-count:]
    if missing == "ignore" and None in last:
        return before
    return all(missing == "breaching" if value is None else compare(value, alarm.number("threshold")) for value in last)


def files(**outcomes: int) -> dict[str, float]:
    """What the ingest function counts: all outcomes where there is any."""
    return {f"Files{name.title()}": outcomes.get(name, 0) for name in ("completed", "failed", "rejected", "skipped")}


@pytest.mark.parametrize(
    ("name", "outcomes", "rung"),
    [
        ("ingest-failures", {}, False),
        ("ingest-failures", files(completed=100), False),
        ("ingest-failures", files(completed=95, failed=5), False),
        ("ingest-failures", files(completed=94, failed=6), True),
        ("ingest-failures", files(failed=1), True),
        ("ingest-failures", files(skipped=10, rejected=10, failed=1), False),
        ("ingest-rejections", {}, False),
        ("ingest-rejections", files(rejected=7), True),
        ("ingest-rejections", files(completed=80, rejected=20), False),
        ("ingest-rejections", files(completed=79, rejected=21), True),
        ("ingest-rejections", files(completed=5, failed=95, rejected=1), False),
    ],
)
def test_shares(dev: DeclaredStack, name: str, outcomes: dict[str, float], rung: bool) -> None:
    assert rings(alarms(dev)[name], outcomes) is rung


@pytest.mark.parametrize(
    ("minutes", "late", "count", "rung"),
    [
        (60, 14, 100, False),
        (60, 15, 100, True),
        (360, 6, 100, False),
        (360, 7, 100, True),
        # Where few files come, one that was late is no news; it is, as long as others are.
        (60, 1, 3, False),
        (360, 1, 1, False),
        (60, 2, 3, True),
        (5, 1, 1, True),
        (5, 0, 1, False),
        (30, 1, 10, True),
    ],
)
def test_late_files(dev: DeclaredStack, minutes: int, late: int, count: int, rung: bool) -> None:
    alarm = alarms(dev)[f"ingest-late-{minutes}-minutes"]

    assert rings(alarm, {"FilesLate": late, "FilesLate, count": count}) is rung
    assert not rings(alarm, {}), "no file ended"


VISIBLE, DELETED = "ApproximateNumberOfMessagesVisible", "NumberOfMessagesDeleted"


@pytest.mark.parametrize(
    ("periods", "rung"),
    [
        # The consumer is dead: nothing deleted is no value at all, not 0.
        ([{VISIBLE: 5}, {VISIBLE: 7}, {VISIBLE: 9}], True),
        ([{VISIBLE: 5, DELETED: 0}] * 3, True),
        ([{VISIBLE: 5}, {VISIBLE: 7, DELETED: 1}, {VISIBLE: 9}], False),
        # A backlog that is worked off, a quiet queue, one that nobody has asked for hours.
        ([{VISIBLE: 90_000, DELETED: 300}] * 3, False),
        ([{VISIBLE: 0}] * 3, False),
        ([{}] * 3, False),
    ],
)
def test_a_consumer_that_is_dead_is_noticed_in_a_quarter_of_an_hour(
    everything: DeclaredStack, periods: list[dict[str, float]], rung: bool
) -> None:
    assert rings(alarms(everything)["intake-stalled"], *periods) is rung


@pytest.mark.parametrize(
    ("periods", "rung"),
    [
        ([{VISIBLE: 0}] * 24, True),
        ([{VISIBLE: 0}] * 23 + [{VISIBLE: 0, **files(completed=1)}], False),
        ([{VISIBLE: 0, **files(failed=1)}] + [{VISIBLE: 0}] * 23, False),
        # Files of checks are messages as all others, and end without being counted.
        ([{VISIBLE: 1, "NumberOfMessagesSent": 1}] * 24, True),
        # Nobody reads the queue any more, so nothing is reported of it.
        ([{}] * 24, True),
        # What waits has arrived before.
        ([{VISIBLE: 40}] * 24, True),
    ],
)
def test_silence(everything: DeclaredStack, periods: list[dict[str, float]], rung: bool) -> None:
    assert rings(alarms(everything)["intake-silence"], *periods) is rung


@pytest.mark.parametrize(("hours", "warm_up"), [(1, 60), (168, 2880)])
def test_silence_is_a_setting_and_a_new_stack_is_given_its_time(hours: int, warm_up: int) -> None:
    """CloudWatch adds periods of an hour up to a week, and waits two days at most."""
    alarm = alarms(declare("dev", overrides={"silenceAlarmHours": hours}))["intake-silence"]

    assert alarm.number("evaluationPeriods") == hours
    assert alarm.part("warmUpConfiguration") == {"warmUpPeriodDurationInMinutes": warm_up}


def test_silence_is_no_alarm_unless_it_is_set(stack: DeclaredStack) -> None:
    assert "intake-silence" not in alarms(stack)
    with pytest.raises(SettingsError, match="silenceAlarmHours = 169"):
        declare(stack.stage, overrides={"silenceAlarmHours": 169})


def test_shares_are_settings() -> None:
    changed = alarms(declare("dev", overrides={"failedAlarmPercent": 1, "rejectedAlarmPercent": 0}))

    assert (changed["ingest-failures"].number("threshold"), changed["ingest-rejections"].number("threshold")) == (1, 0)
    assert "ingest-rejections" not in alarms(declare("dev", overrides={"rejectedAlarmPercent": 100}))


@pytest.mark.parametrize(
    ("timeout", "reserve", "stalled_after"), [(10, 2, 3), (600, 10, 3), (601, 300, 4), (900, 10, 4)]
)
def test_one_file_that_takes_a_whole_invocation_is_normal_work(timeout: int, reserve: int, stalled_after: int) -> None:
    """Its work is planned to end before the reserve begins; meanwhile others wait, and none is deleted."""
    stack = declare("dev", overrides={"functionTimeoutSeconds": timeout, "timeReserveSeconds": reserve})
    duration, stalled = alarms(stack)["ingest-duration"], alarms(stack)["intake-stalled"]

    assert not rings(duration, *[{"Duration": (timeout - reserve) * 1000}] * 2)
    assert rings(duration, *[{"Duration": timeout * 1000}] * 2)
    assert duration.number("threshold") >= 0.9 * timeout * 1000
    assert stalled.number("evaluationPeriods") == stalled_after
    assert stalled_after * 300 >= timeout + 300


def test_dead_letters_that_nobody_looks_at_are_not_over(everything: DeclaredStack) -> None:
    """SQS stops to report of a queue that nobody has asked for six hours."""
    for name in ("intake-dead-letters", "delivery-dead-letters"):
        alarm = alarms(everything)[name]

        assert rings(alarm, {VISIBLE: 1})
        assert rings(alarm, {}, before=True)
        assert not rings(alarm, {}, before=False)
        assert not rings(alarm, {VISIBLE: 0}, before=True)
