"""``check`` against a stack that delivers, as a shell runs it: all of it works, and what is broken is found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, cast

import pytest
from rich.console import Console

from local.receiver import listening
from local.stack import local_stack
from local.stack_config import ROOT
from tests.local.conftest import LocalPipeline
from tests.local.test_operate import operate
from tests.scripted_receiver import ScriptedReceiver
from tests.stage_files import STAGES

EMULATORS_OWN: Final = frozenset({"lambda:ListAliases"})
"""What the emulator asks for instead of the action that AWS does: here, of lambda:GetAlias."""

NO_ACTIONS: Final = frozenset({"status", "check", "deliverChecks", "programClient"})


@pytest.fixture(scope="module")
def checked() -> Iterator[LocalPipeline]:
    """A stack of its own that delivers, the files of checks too."""
    with listening(ScriptedReceiver) as receiver:
        overrides = {"deliveryEndpoint": receiver.url, "deliverChecks": True}
        with local_stack(Console(quiet=True), overrides=overrides, folder=STAGES) as stack:
            receiver.trust(stack.cloud, stack.outputs["secretArn"])
            yield LocalPipeline(stack=stack)


def check(pipeline: LocalPipeline, *options: str) -> tuple[int, dict[str, str]]:
    """Check the stack; returns the status, and part → state."""
    status, result = operate(pipeline, "check", *options)
    parts = cast("list[dict[str, str]]", result["parts"])
    return status, {part["part"]: part["state"] for part in parts}


def left(pipeline: LocalPipeline) -> tuple[list[object], list[object]]:
    """What is in the bucket and in the table."""
    cloud = pipeline.stack.cloud
    listed = cloud.client("s3").list_object_versions(Bucket=pipeline.bucket)
    items = cloud.client("dynamodb").scan(TableName=pipeline.table)["Items"]
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])], [*items]


def test_all_of_the_stack_works_and_the_check_leaves_nothing(checked: LocalPipeline) -> None:
    status, parts = check(checked)

    assert (status, set(parts.values())) == (0, {"ok"})
    assert {"alarms", "delivery's endpoint", "file: delivery", "file: API's answer"} <= parts.keys()
    assert left(checked) == ([], [])


def test_what_is_broken_is_found_and_its_file_is_forgotten(checked: LocalPipeline) -> None:
    """The file is given up while its event waits: nothing comes of it afterwards."""
    with checked.paused():
        status, parts = check(checked, "--wait", "1")

        assert status == 1
        assert {part for part, state in parts.items() if state == "failed"} == {
            "ingest function's event source",
            "file: final status",
        }
        assert left(checked) == ([], [])
    checked.drained()

    assert left(checked) == ([], [])
    assert checked.dead_letters() == 0
    assert check(checked)[0] == 0


def test_a_program_signs_in_where_pulumi_hides_the_test_users_password(checked: LocalPipeline, tmp_path: Path) -> None:
    outputs = {
        **checked.stack.outputs,
        "testUserPassword": "[secret]",
        "programClientSecret": "[secret]",
        # The emulator's own: the output is AWS's.
        "tokenUrl": f"{checked.stack.emulator.endpoint}/oauth2/token",
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs))

    status, parts = check(checked, "--outputs", str(file))

    assert (status, parts["file: API's answer"]) == (0, "ok")


def documented(command: str) -> set[str]:
    """The actions of a command in the operations guide's table; one without its service is of the one before."""
    guide = (ROOT / "docs" / "operations.md").read_text().partition("### What an operator may do")[2]
    (row,) = [line for line in guide.splitlines() if re.match(rf"\| [^|]*`{command}`[^|]*\|", line)][:1]
    found, service = set[str](), ""
    for name in re.findall(r"`([\w:-]+)`", row.split("|")[2]):
        service = name.partition(":")[0] if ":" in name else service
        found |= {name if ":" in name else f"{service}:{name}"} - {f"{service}:{word}" for word in NO_ACTIONS}
    return found


def check_as(pipeline: LocalPipeline, name: str, actions: Collection[str]) -> tuple[int, dict[str, str]]:
    """Check the stack as somebody who may do no more than `actions`; returns the status, and what failed, and why."""
    iam = pipeline.stack.cloud.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    iam.put_user_policy(
        UserName=name,
        PolicyName="operator",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    done = subprocess.run(
        [sys.executable, "-m", "operate", "check", "--json"],
        cwd=ROOT,
        env={**os.environ, **pipeline.stack.environment(), **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, {
        part["part"]: part["detail"] for part in json.loads(done.stdout)["parts"] if part["state"] == "failed"
    }


def test_what_the_guide_says_that_the_check_needs_is_enough(checked: LocalPipeline) -> None:
    rights = documented("check") | documented("status") | EMULATORS_OWN

    status, failed = check_as(checked, "operator", rights)
    assert (status, failed) == (0, {}), "\n".join(failed.values())

    status, failed = check_as(checked, "other-operator", rights - {"dynamodb:DeleteItem"})
    assert (status, list(failed)) == (1, ["file: removal"])
    assert "AccessDenied" in failed["file: removal"]
