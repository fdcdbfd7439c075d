"""Work on a file's content: under a claim, and completed once whenever its worker dies."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from ingest.processor import ClaimLostError, HeldElsewhereError, OutOfTimeError
from shared.catalog.model import Claim, ObjectFacts, ObjectVersion, Outcome, Status, Worker
from tests.declared_stack import DeclaredStack
from tests.lambda_src.catalogs import Clock, make_catalog, worker
from tests.lambda_src.conftest import Aws, Calls
from tests.lambda_src.ingesting import COMPLETED, KEY, Make, WorkerKilledError, ingest_maker, uploaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_ingest(aws: Aws, dev: DeclaredStack, clock: Clock) -> Make:
    return ingest_maker(aws, dev, clock)


def test_content_work_runs_under_a_claim(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    version = uploaded(aws)
    rejected = Outcome(status=Status.REJECTED, reason="no records")

    def work(_version: ObjectVersion, facts: ObjectFacts) -> Outcome:
        assert aws.item(KEY)["status"] == "PROCESSING"
        assert facts.size == 7
        with pytest.raises(HeldElsewhereError):
            make_ingest().process(version, worker("second", clock))
        return rejected

    assert make_ingest(work).process(version, worker("first", clock)) == rejected
    assert (aws.item(KEY)["status"], aws.item(KEY)["reason"]) == ("REJECTED", "no records")


def test_failed_content_work_is_retried(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    version = uploaded(aws)

    def fail(_version: ObjectVersion, _facts: ObjectFacts) -> Outcome:
        raise TimeoutError("the body stopped")

    with pytest.raises(TimeoutError):
        make_ingest(fail).process(version, worker("first", clock))
    assert aws.item(KEY)["reason"] == "TimeoutError: the body stopped"
    assert make_ingest().process(version, worker("second", clock)) == COMPLETED


def test_a_worker_killed_between_claim_and_finish(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    """The file waits until the claim lapses, is completed once, and a late first worker changes nothing."""
    version = uploaded(aws)
    first = worker("first", clock)

    def die(_version: ObjectVersion, _facts: ObjectFacts) -> Outcome:
        raise WorkerKilledError

    with pytest.raises(WorkerKilledError):
        make_ingest(die).process(version, first)
    assert aws.item(KEY)["status"] == "PROCESSING"
    with pytest.raises(HeldElsewhereError):
        make_ingest().process(version, worker("too early", clock))

    clock.now += timedelta(minutes=6)
    assert make_ingest().process(version, worker("second", clock)) == COMPLETED
    done = aws.item(KEY)
    assert not make_catalog(aws, clock).finish(version, Outcome(status=Status.FAILED), first)
    assert make_ingest().process(version, worker("third", clock)) is None
    assert aws.item(KEY) == done
    assert done["owner"] == "second"


def test_a_worker_that_lost_its_claim_leaves_the_message(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    """It wakes up late: the message may be the very one that the second worker relies on."""
    version = uploaded(aws)

    def oversleep(_version: ObjectVersion, facts: ObjectFacts) -> Outcome:
        clock.now += timedelta(minutes=6)
        second: Worker = worker("second", clock)
        assert make_catalog(aws, clock).claim(version, facts, second) is Claim.TAKEN
        return COMPLETED

    with pytest.raises(ClaimLostError):
        make_ingest(oversleep).process(version, worker("first", clock))

    assert (aws.item(KEY)["status"], aws.item(KEY)["owner"]) == ("PROCESSING", "second")


@pytest.mark.parametrize("operation", ["HeadObject", "TransactWriteItems", "UpdateItem"])
def test_killed_at_any_step_the_file_is_completed_once(
    aws: Aws, clock: Clock, make_ingest: Make, calls: Calls, operation: str
) -> None:
    version = uploaded(aws)
    runs: list[str] = []

    def work(_version: ObjectVersion, _facts: ObjectFacts) -> Outcome:
        runs.append("run")
        return COMPLETED

    def die() -> None:
        raise WorkerKilledError

    calls.before[operation] = die
    with pytest.raises(WorkerKilledError):
        make_ingest(work).process(version, worker("first", clock))
    clock.now += timedelta(minutes=6)

    assert make_ingest(work).process(version, worker("second", clock)) == COMPLETED
    assert make_ingest(work).process(version, worker("third", clock)) is None
    assert aws.item(KEY)["status"] == "COMPLETED"
    assert aws.latest(KEY) == version.version_id
    assert len(runs) <= 2


def test_work_that_may_not_end_in_time_is_not_started(aws: Aws, clock: Clock, make_ingest: Make) -> None:
    """It is handed back unclaimed: 30 s are wanted, and 29 are left."""
    version = uploaded(aws)
    late = dataclasses.replace(worker("first", clock), deadline=clock.now + timedelta(seconds=29))

    with pytest.raises(OutOfTimeError):
        make_ingest(lambda _version, _facts: COMPLETED).process(version, late)

    assert aws.items() == {}
