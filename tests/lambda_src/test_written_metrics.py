"""The metrics that the ingest function writes when it runs are those that alarms and graphs look at, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest

from shared import observability
from tests.conftest import declare
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import Aws, Calls, Handler, LambdaContext, batch, message
from tests.lambda_src.test_handler import emitted, metrics_of
from tests.metrics import of_alarm, read_of, start_cold, written

ROWS: Final = b"shipment_id,status,timestamp\nSHP-1,delivered,2026-11-20T08:15:00Z\nSHP-2,,soon\n"


def test_what_is_written_is_looked_at_and_what_is_looked_at_is_written(
    handler: Handler, aws: Aws, dev: DeclaredStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """By namespace, name and dimensions: with one dimension more, CloudWatch keeps another metric."""
    start_cold()
    capsys.readouterr()

    handler(batch(message(aws.put("uploads/shipments/a.csv", ROWS))), LambdaContext())
    handler(batch(message(body="{")), LambdaContext())

    assert written(capsys.readouterr().out) == read_of(dev, "ingest")


def test_metrics_say_the_version(
    handler: Handler, aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a property. Where releases shift it is a dimension too: what rolls a release back is written."""
    alarms = [alarm for alarm in declare("prod-canary").all("MetricAlarm") if "-releases-ingest-" in alarm.name]
    looked_at = {metric[1:3] for alarm in alarms for metric in of_alarm(alarm) if metric.namespace != "AWS/Lambda"}
    assert looked_at
    start_cold()
    handler(batch(message(body="{")), LambdaContext())  # its first line, of the cold start, is Powertools' own
    monkeypatch.setattr(observability, "_VERSION", "7")
    for by_version in (False, True):
        monkeypatch.setattr(observability, "_BY_VERSION", by_version)
        capsys.readouterr()

        handler(batch(message(aws.put(f"uploads/{by_version}.txt"))), LambdaContext())
        handler(batch(message(body="{")), LambdaContext())

        printed = capsys.readouterr().out
        assert {line["version"] for line in map(json.loads, printed.splitlines()) if "_aws" in line} == {"7"}
        assert ({metric[1:] for metric in written(printed)} >= looked_at) is by_version


def fails(aws: Aws, calls: Calls) -> dict[str, object]:
    calls.fail("HeadObject", "SlowDown")
    return aws.put("uploads/a.csv")


ENDINGS: Final[dict[str, Callable[[Aws, Calls], dict[str, object]]]] = {
    "FilesCompleted": lambda aws, _: aws.put("uploads/a.csv"),
    "FilesFailed": fails,
    "FilesRejected": lambda aws, _: aws.put("uploads/shipments/a.json", b"[{]"),
    "FilesSkipped": lambda aws, _: aws.put("uploads/a.exe"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_with_each_file_every_outcome_is_written(
    handler: Handler, aws: Aws, calls: Calls, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    """A share of outcomes needs all of them in each period, zeros too."""
    record = ENDINGS[ending](aws, calls)
    capsys.readouterr()

    handler(batch(message(record)), LambdaContext())

    counted = metrics_of(emitted(capsys))
    assert {name: counted.get(name) for name in ENDINGS} == {name: int(name == ending) for name in ENDINGS}
