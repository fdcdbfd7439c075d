"""``rollback``: the version before is called again, when it was shown what changes."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.stub import Stubber

from operate.releases.deployments import Deployments
from operate.session import LIVE
from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate, add_output
from tests.operate.releases.released import (
    FUNCTION,
    alias,
    app_spec,
    lambda_client,
    point,
    publish,
    shifting,
)


@pytest.fixture(autouse=True)
def _four_versions(_one_function: None) -> None:
    publish(3)
    point(4)


@pytest.mark.parametrize("arguments", [("ingest",), ("--all",)])
def test_it_goes_back_to_the_version_before(operate: Operate, arguments: tuple[str, ...]) -> None:
    ran = operate("rollback", *arguments, "--yes", "--json")

    assert ran.status == 0
    assert ran.json() == {"functions": [{"function": "ingest", "from": 4, "to": 3}]}
    assert alias() == (3, {})
    assert operate("rollback", "ingest", "--yes").status == 0
    assert alias() == (2, {}), "again, it goes one further"


def test_it_passes_over_versions_that_do_not_start(operate: Operate, calls: Calls) -> None:
    """Of an update that was stopped at it: nothing was ever called in that version."""
    calls.fail("Invoke", "ResourceConflictException", times=1)
    calls.answers["GetFunctionConfiguration"] = {"State": "Failed"}

    assert operate("rollback", "ingest", "--yes").status == 0
    assert alias() == (2, {})
    assert [json.loads(p["Payload"]) for p in _invocations(calls)] == [{"check": "start"}] * 2


def _invocations(calls: Calls) -> list[dict[str, str]]:
    made = zip(calls.made, calls.parameters, strict=True)
    return [parameters for name, parameters in made if name == "Invoke" and isinstance(parameters, dict)]


def test_where_no_version_starts_nothing_changes(operate: Operate, calls: Calls) -> None:
    calls.answers["Invoke"] = {"FunctionError": "Unhandled"}

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 1
    assert "no older one starts" in ran.out
    assert alias() == (4, {})


def test_functions_without_an_older_version_are_named(operate: Operate) -> None:
    point(1)

    ran = operate("rollback", "--all", "--yes")

    assert ran.status == 1
    assert "left as it is: ingest (none is older)" in ran.err
    assert alias() == (1, {})


def test_a_version_may_be_named(operate: Operate) -> None:
    assert operate("rollback", "ingest", "--to", "1", "--yes").status == 0
    assert alias() == (1, {})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "name the functions to roll back, or --all"),
        (("ingest", "--all"), "name the functions to roll back, or --all"),
        (("ingst",), "ingst: should be one of ingest"),
        (("ingest", "--to", "9"), "--to 9: ingest has the versions 1, 2, 3, 4"),
        (("ingest", "--to", "4"), "--to 4: this version of ingest is live already"),
        (("ingest",), "nobody can be asked here: --yes"),
    ],
)
def test_what_cannot_be_is_refused(operate: Operate, arguments: tuple[str, ...], complaint: str) -> None:
    ran = operate("rollback", *arguments)

    assert ran.status == 2
    assert complaint in ran.err
    assert alias() == (4, {})


@pytest.mark.parametrize(("answer", "status", "live"), [("y", 0, 3), ("n", 1, 4)])
def test_it_asks_after_showing_what_changes(
    operate: Operate, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, live: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda *_: answer)

    ran = operate("rollback", "ingest")

    assert ran.status == status
    assert alias() == (live, {})
    assert "published" in ran.out


@pytest.mark.parametrize("stated", [True, False])
def test_a_release_under_way_is_stopped_and_taken_back(operate: Operate, calls: Calls, stated: bool) -> None:
    shifting()
    point(3, v4=0.1)
    under_way(calls, **({} if stated else {"revision": {}}))

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 0
    stopped = calls.parameters[calls.made.index("StopDeployment")]
    assert stopped == {"deploymentId": "d-1", "autoRollbackEnabled": True}
    assert alias() == (3, {})


def under_way(calls: Calls, **info: object) -> None:
    """Let a deployment be under way until it is stopped, and one that took version 3 to 4."""
    described = {"deploymentId": "d-1", **app_spec(3, 4), **info}
    calls.answers["ListDeployments"] = {"deployments": ["d-1"]}
    calls.answers["StopDeployment"] = {"status": "Succeeded"}
    calls.answers["GetDeployment"] = {"deploymentInfo": {**described, "status": "InProgress"}}

    def stop() -> None:
        calls.answers["GetDeployment"] = {"deploymentInfo": {**described, "status": "Stopped"}}

    calls.before["StopDeployment"] = stop


@pytest.mark.parametrize("stated", [True, False])
def test_a_release_that_has_moved_the_alias_is_taken_back(operate: Operate, calls: Calls, stated: bool) -> None:
    """The last step is done, the deployment has not ended: the live version is the one to leave."""
    shifting()
    under_way(calls, **({} if stated else {"revision": {}}))

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 0
    assert "StopDeployment" in calls.made
    assert alias() == (3, {})


def test_a_release_under_way_goes_back_to_the_version_that_is_named(operate: Operate, calls: Calls) -> None:
    shifting()
    under_way(calls)

    assert operate("rollback", "ingest", "--to", "1", "--yes").status == 0
    assert "StopDeployment" in calls.made
    assert alias() == (1, {})


def test_a_release_that_ends_meanwhile_is_taken_back_all_the_same(operate: Operate, calls: Calls) -> None:
    shifting()
    point(3, v4=0.1)
    under_way(calls)
    stop = calls.before["StopDeployment"]
    made: list[str] = []

    def end() -> None:
        stop()
        client = lambda_client()  # moto gives an alias a new revision with a new alias alone
        client.delete_alias(FunctionName=FUNCTION, Name=LIVE)
        made.append(client.create_alias(FunctionName=FUNCTION, Name=LIVE, FunctionVersion="4")["RevisionId"])

    calls.before["StopDeployment"] = end
    calls.fail("StopDeployment", "DeploymentAlreadyCompletedException")

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 0
    update = calls.parameters[calls.made.index("UpdateAlias", calls.made.index("StopDeployment"))]
    assert isinstance(update, dict)
    assert update["RevisionId"] == made[0], "as it was when the deployment had ended"
    assert alias() == (3, {})


def test_a_rollback_under_way_is_not_stopped(operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    point(3, v4=0.1)
    under_way(calls, creator="codeDeployRollback", **app_spec(4, 3))
    monkeypatch.setattr("operate.releases.deployments.time.sleep", lambda _: calls.before["StopDeployment"]())

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 0
    assert "after the rollback d-1" in ran.out
    assert "StopDeployment" not in calls.made
    assert alias() == (3, {})


def test_a_throttled_version_is_not_passed_over(operate: Operate, calls: Calls) -> None:
    calls.fail("Invoke", "TooManyRequestsException", status=429)

    ran = operate("rollback", "ingest", "--yes")

    assert ran.status == 1
    assert "TooManyRequestsException" in ran.err
    assert "not known, run it again" in ran.out
    assert alias() == (4, {})


def second_function(count: int) -> None:
    """Give the stack another function, of so many versions, the last one live."""
    client = lambda_client()
    role = client.get_function_configuration(FunctionName=FUNCTION)["Role"]
    name = "file-pipeline-dev-reconcile"
    client.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="handler.handler",
        Code={"ZipFile": b"-"},
        Publish=True,
    )
    publish(count - 1, name)
    client.create_alias(FunctionName=name, Name=LIVE, FunctionVersion=str(count))
    add_output("reconcileFunctionName", name)


def test_what_fails_for_one_function_keeps_no_other(operate: Operate, calls: Calls) -> None:
    second_function(2)
    calls.fail("UpdateAlias", "PreconditionFailedException")

    ran = operate("rollback", "--all", "--yes", "--json")

    assert ran.status == 1
    assert "ingest: not rolled back, run it again" in ran.err
    assert ran.json() == {
        "functions": [
            {"function": "ingest", "from": 4, "to": None},
            {"function": "reconcile", "from": 2, "to": 1},
        ]
    }


def test_a_function_without_a_version_before_is_no_success(operate: Operate) -> None:
    second_function(1)

    ran = operate("rollback", "--all", "--yes")

    assert ran.status == 1
    assert alias() == (3, {})


def test_the_rollback_of_a_stopped_deployment_is_waited_for() -> None:
    """As botocore knows CodeDeploy's requests and answers, which moto does not roll back."""
    client = boto3.client("codedeploy", region_name="eu-central-1", aws_access_key_id="-", aws_secret_access_key="-")
    rollback = {"rollbackDeploymentId": "d-2", "rollbackMessage": "An alarm was raised."}
    failed = {
        "deploymentId": "d-1",
        "status": "Stopped",
        "errorInformation": {"code": "ALARM_ACTIVE", "message": "file-pipeline-prod-releases-ingest-errors"},
        "rollbackInfo": rollback,
    }
    waited: list[float] = []
    with Stubber(client) as stub:
        for status in ("InProgress", "Succeeded"):
            stub.add_response("get_deployment", {"deploymentInfo": failed}, {"deploymentId": "d-1"})
            back = {"deploymentInfo": {"deploymentId": "d-2", "status": status}}
            stub.add_response("get_deployment", back, {"deploymentId": "d-2"})

        ended = Deployments(client, "releases", waited.append).follow({"ingest": "d-1"}, lambda *_: None)

        stub.assert_no_pending_responses()
    assert len(waited) == 1
    assert not ended["ingest"].succeeded
    assert ended["ingest"].detail == ("ALARM_ACTIVE: file-pipeline-prod-releases-ingest-errors; An alarm was raised.")
