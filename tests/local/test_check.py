"""``check`` against a stack that delivers, as a shell runs it: all of it works, and what is broken is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from rich.console import Console

from local.receiver import listening
from local.stack import local_stack
from tests.local.conftest import LocalPipeline
from tests.local.test_operate import operate
from tests.scripted_receiver import ScriptedReceiver
from tests.stage_files import STAGES


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
