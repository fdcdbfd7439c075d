"""``release``: the newest version is called, or it is said why not; old ones are deleted."""

from __future__ import annotations

import pytest

from operate.session import LIVE
from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate
from tests.operate.releases.released import (
    FUNCTION,
    alias,
    codedeploy_that,
    deployments,
    forget_function,
    lambda_client,
    point,
    publish,
    shifting,
    versions,
)


@pytest.fixture(autouse=True)
def _one_function(operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    del operate
    forget_function("api")
    calls.answers["Invoke"] = {}  # each version starts
    monkeypatch.setattr(
        "operate.releases.deployments.time.sleep", codedeploy_that()
    )  # nothing is waited for but what is said


def canary() -> str:
    point(1, v3=0.1)
    return "InProgress"


def shifted() -> str:
    point(3)
    return "Succeeded"


def rolled_back() -> str:
    point(1)
    return "Failed"


def test_at_once_it_says_that_all_is_released_and_deletes_old_versions(operate: Operate) -> None:
    publish(5)
    point(6)
    lambda_client().create_alias(FunctionName=FUNCTION, Name="audit", FunctionVersion="2")

    ran = operate("release", "--json")

    assert ran.status == 0
    assert ran.json() == {
        "functions": [
            {
                "function": "ingest",
                "live": 6,
                "newest": 6,
                "released": True,
                "outcome": "released",
                "deleted": [3, 1],
            }
        ]
    }
    assert versions() == [2, 4, 5, 6], "the live one, two before it, and one that an alias names"


def test_what_was_rolled_back_is_left_and_said(operate: Operate) -> None:
    publish(5)
    point(5)

    ran = operate("release")

    assert ran.status == 1
    assert "version 6 is not live: rolled back, or its update did not end" in " ".join(ran.out.split())
    assert "`release --again`" in operate("release", "--json").out
    assert alias() == (5, {})
    assert versions() == [1, 2, 3, 4, 5, 6], "nothing is deleted before it is released"


def test_at_once_it_releases_again_what_was_rolled_back(operate: Operate) -> None:
    publish(1)
    point(1)

    ran = operate("release", "--again")

    assert ran.status == 0
    assert alias() == (2, {})


def test_at_once_a_version_that_does_not_start_is_not_released_again(operate: Operate, calls: Calls) -> None:
    calls.answers["Invoke"] = {"FunctionError": "Unhandled"}
    publish(1)
    point(1)

    ran = operate("release", "--again")

    assert ran.status == 1
    assert "version 2 does not start" in ran.out
    assert alias() == (1, {})


def test_it_shifts_to_the_newest_version_and_follows(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    publish(2)
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(canary, shifted))

    ran = operate("release", "--json")

    assert ran.status == 0
    assert deployments() == [
        ("Succeeded", {"Name": FUNCTION, "Alias": LIVE, "CurrentVersion": "1", "TargetVersion": "3"})
    ]
    shown = [line.partition(" (")[0] for line in ran.err.splitlines()]
    assert shown == [
        "ingest: Created, 0% on version 3",
        "ingest: InProgress, 10% on version 3",
        "ingest: Succeeded, 100% on version 3",
    ]


def test_a_rollback_is_no_success_and_is_not_tried_again(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    publish(2)
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(canary, rolled_back))

    first, second = operate("release"), operate("release")

    assert (first.status, second.status) == (1, 1)
    assert "failed, rolled back" in first.out
    assert "version 3 was tried before, failed" in second.out
    assert len(deployments()) == 1
    assert alias() == (1, {})
    assert len(versions()) == 3

    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(shifted))
    assert operate("release", "--again").status == 0
    assert len(deployments()) == 2


def test_a_rollback_by_hand_stays(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next release, in the workflow after an update without a change of code, leaves it there."""
    shifting()
    publish(2)
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(shifted))
    assert operate("release").status == 0
    point(2)

    ran = operate("release")

    assert ran.status == 1
    assert "version 3 was rolled back" in ran.out
    assert alias() == (2, {})
    assert len(deployments()) == 1


def test_a_deployment_that_is_under_way_is_followed(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    publish(2)

    def interrupt(_seconds: float) -> None:
        point(1, v3=0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr("operate.releases.deployments.time.sleep", interrupt)
    stopped = operate("release")
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(shifted))
    ran = operate("release")

    assert stopped.status == 130
    assert "`release` follows them" in stopped.err
    assert ran.status == 0
    assert len(deployments()) == 1, "a weighted alias is a deployment's while it is under way"


def test_a_stopped_deployment_is_mended(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped by hand without a rollback, it leaves an alias with two versions, which later ones cannot shift."""
    shifting()
    publish(1)
    point(1, v2=0.1)
    publish(1)
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(shifted))

    ran = operate("release")

    assert ran.status == 0
    assert "a deployment was stopped on its way (10% to version 2); all calls go to version 1 again" in ran.err
    assert [properties["CurrentVersion"] for _, properties in deployments()] == ["1"]
    assert alias() == (3, {})


@pytest.mark.parametrize("answer", [{"FunctionError": "Unhandled"}, None])
def test_a_version_that_does_not_start_is_not_released(
    operate: Operate, calls: Calls, answer: dict[str, str] | None
) -> None:
    """An update stopped at it, and it is the newest all the same."""
    shifting()
    publish(2)
    if answer is None:
        calls.fail("Invoke", "ResourceNotReadyException")
    else:
        calls.answers["Invoke"] = answer

    ran = operate("release")

    assert ran.status == 1
    assert "version 3 does not start" in ran.out
    assert not deployments()
    assert alias() == (1, {})
