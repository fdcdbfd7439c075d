"""``release`` where CodeDeploy is, or was, at work already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber
from moto.codedeploy.models import codedeploy_backends

from operate.releases.deployments import Deployments
from operate.releases.versions import Versions
from tests.conftest import ACCOUNT, REGION
from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate
from tests.operate.releases.released import (
    FUNCTION,
    alias,
    app_spec,
    codedeploy_that,
    deployments,
    point,
    publish,
    shifting,
    versions,
)


def shifted() -> str:
    point(3)
    return "Succeeded"


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


def test_a_release_that_succeeds_while_it_is_looked_at_stays(operate: Operate, calls: Calls) -> None:
    """The alias was read while it was shifting, and nothing is under way any more."""
    shifting()
    publish(1)
    point(1, v2=0.1)
    calls.before["ListDeployments"] = lambda: point(2)

    ran = operate("release")

    assert ran.status == 0
    assert alias() == (2, {})


def test_after_a_deployment_of_an_older_version_the_newest_is_released(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifting()
    publish(1)

    def interrupt(_seconds: float) -> None:
        point(1, v2=0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr("operate.releases.deployments.time.sleep", interrupt)
    operate("release")
    publish(1)

    def older() -> str:
        point(2)
        return "Succeeded"

    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(older, shifted))

    ran = operate("release")

    assert ran.status == 0
    assert alias() == (3, {})
    assert [(p["CurrentVersion"], p["TargetVersion"]) for _, p in deployments()] == [("1", "2"), ("2", "3")]
    assert "to version 2 is under way" in ran.err


def test_a_rollback_under_way_is_waited_for_and_said_to_be_one(
    operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifting()
    publish(2)
    back = {"deploymentId": "d-2", "creator": "codeDeployRollback", **app_spec(3, 1)}
    calls.answers["ListDeployments"] = {"deployments": ["d-2"]}
    calls.answers["GetDeployment"] = {"deploymentInfo": {**back, "status": "InProgress"}}

    def end(_seconds: float) -> None:
        calls.answers["GetDeployment"] = {"deploymentInfo": {**back, "status": "Succeeded"}}
        failed = {"deploymentId": "d-1", "status": "Failed", "createTime": datetime.now(UTC), **app_spec(1, 3)}
        calls.answers["BatchGetDeployments"] = {"deploymentsInfo": [failed]}

    monkeypatch.setattr("operate.releases.deployments.time.sleep", end)

    ran = operate("release")

    assert "the rollback d-2 to version 1 is under way" in ran.err
    assert ran.status == 1
    assert "version 3 was tried before, failed" in ran.out
    assert not deployments()


def test_an_alias_that_gives_a_share_away_is_not_released(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    publish(4)

    def stopped() -> str:
        point(5, v1=0.1)
        return "Stopped"

    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that(stopped))

    ran = operate("release")

    assert ran.status == 1
    assert versions() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("status", ["Created", "Queued", "InProgress", "Baking", "Ready"])
def test_whatever_has_not_ended_is_followed(operate: Operate, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    shifting()
    publish(2)

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    def end(_seconds: float) -> None:
        point(3)
        one.status = "Succeeded"

    monkeypatch.setattr("operate.releases.deployments.time.sleep", interrupt)
    operate("release")
    (one,) = codedeploy_backends[ACCOUNT][REGION].deployments.values()
    one.status = status
    monkeypatch.setattr("operate.releases.deployments.time.sleep", end)

    assert operate("release").status == 0
    assert len(deployments()) == 1


def test_of_all_tries_the_last_one_counts() -> None:
    """CodeDeploy tells of 25 at a time, in no order."""
    client = boto3.client("codedeploy", region_name="eu-central-1", aws_access_key_id="-", aws_secret_access_key="-")
    now = datetime.now(UTC)
    ids = [f"d-{number}" for number in range(30)]

    def info(name: str, minutes: int, target: int = 2) -> dict[str, object]:
        made = now + timedelta(minutes=minutes)
        return {"deploymentId": name, "status": "Failed", "createTime": made, **app_spec(1, target)}

    asked = {
        "applicationName": "releases",
        "deploymentGroupName": "ingest",
        "createTimeRange": {"start": now - timedelta(minutes=5)},
    }
    function = Versions(
        purpose="ingest",
        name=FUNCTION,
        published={1: now.isoformat(), 2: now.isoformat()},
        live=1,
        weights={},
        aliased=frozenset({1}),
        revision="r",
        timeout=60,
    )
    with Stubber(client) as stub:
        stub.add_response("list_deployments", {"deployments": ids}, asked)
        first = [info("d-1", 1), info("d-3", 3)]
        second = [info("d-4", 4), info("d-9", 9, target=3), info("d-2", 2)]
        stub.add_response("batch_get_deployments", {"deploymentsInfo": first}, {"deploymentIds": ids[:25]})
        stub.add_response("batch_get_deployments", {"deploymentsInfo": second}, {"deploymentIds": ids[25:]})

        tried = Deployments(client, "releases").tried(function)

        stub.assert_no_pending_responses()
    assert tried
    assert tried.id == "d-4"
