"""``release``: the newest version is called, or it is said why not; old ones are deleted."""

from __future__ import annotations

import json

import botocore.client
import pytest
from botocore.exceptions import ReadTimeoutError

from operate.session import LIVE
from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate
from tests.operate.releases.released import (
    FUNCTION,
    alias,
    codedeploy_that,
    deployments,
    lambda_client,
    point,
    publish,
    shifting,
    versions,
)


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


@pytest.mark.parametrize("answer", [{"FunctionError": "Unhandled"}, None])
def test_a_version_that_does_not_start_is_not_released(
    operate: Operate, calls: Calls, answer: dict[str, str] | None
) -> None:
    """An update stopped at it, and it is the newest all the same."""
    shifting()
    publish(2)
    if answer is None:
        calls.fail("Invoke", "ResourceNotReadyException")
        calls.answers["GetFunctionConfiguration"] = {"State": "Inactive"}
    else:
        calls.answers["Invoke"] = answer

    ran = operate("release")

    assert ran.status == 1
    assert "version 3 does not start" in ran.out
    assert not deployments()
    assert alias() == (1, {})


def test_a_version_of_which_lambda_does_not_tell_is_not_judged(operate: Operate, calls: Calls) -> None:
    """A throttled version may be the best there is."""
    shifting()
    publish(2)
    calls.fail("Invoke", "TooManyRequestsException", status=429)

    ran = operate("release")

    assert ran.status == 1
    assert "run `release` again" in ran.out
    assert "TooManyRequestsException" in ran.out
    assert "does not start" not in ran.out
    assert not deployments()


def test_the_check_waits_as_long_as_the_function_may_run(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    shifting()
    lambda_client().update_function_configuration(FunctionName=FUNCTION, Timeout=600)
    publish(1)
    waits: list[float] = []
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def call(client: botocore.client.BaseClient, operation: str, parameters: object) -> object:
        if operation != "Invoke":
            answer: object = real(client, operation, parameters)
            return answer
        waits.append(client.meta.config.read_timeout)  # type: ignore[attr-defined]
        raise ReadTimeoutError(endpoint_url="https://lambda")

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    ran = operate("release")

    assert len(waits) == 1
    assert waits[0] > 600
    assert ran.status == 1
    assert "run `release` again: Read timeout" in " ".join(ran.out.split())


def test_the_alias_is_changed_only_as_it_was_read(operate: Operate, calls: Calls) -> None:
    publish(1)
    point(1, v2=0.1)
    revision = lambda_client().get_alias(FunctionName=FUNCTION, Name=LIVE)["RevisionId"]

    operate("release")

    update = calls.parameters[calls.made.index("UpdateAlias", calls.made.index("ListAliases"))]
    assert isinstance(update, dict)
    assert update["RevisionId"] == revision


def test_a_version_that_cannot_be_deleted_is_left_and_said(operate: Operate, calls: Calls) -> None:
    publish(5)
    point(6)
    calls.fail("DeleteFunction", "ResourceConflictException")

    ran = operate("release", "--json")

    assert ran.status == 0
    assert json.loads(ran.out)["functions"][0]["deleted"] == [2, 1]
    assert "version 3 is not deleted" in ran.err
    assert versions() == [3, 4, 5, 6]


def test_a_version_that_an_alias_gives_a_share_is_kept(operate: Operate) -> None:
    publish(5)
    point(6)
    lambda_client().create_alias(
        FunctionName=FUNCTION,
        Name="audit",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}},
    )

    assert operate("release").status == 0
    assert versions() == [1, 2, 4, 5, 6]
