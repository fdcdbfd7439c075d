"""Drills of releases: a version that cannot start, and one that starts and fails."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

from components.function import ALIAS, CHECK_EVENT
from local.cloud import Cloud
from local.outcome import DrillOutcome
from local.services.lambda_ import InvocationError, invoke
from local.stack_config import ROOT
from local.waiting import wait_until

if TYPE_CHECKING:
    from local.drills import Drill

_CANNOT_START: Final = 'raise ImportError("a package that is not in the layer")\n'

_FAILS: Final = """
def handler(event, context):
    if event.keys() == {"check"}:
        return {"check": "passed"}
    raise RuntimeError("a mistake that only a file shows")
"""

_VISIBILITY_SECONDS: Final = 6
"""Long enough for a rollback within five receives: it takes about 3 seconds."""

_WAIT_SECONDS: Final = 60.0


def release_that_cannot_start(drill: Drill) -> DrillOutcome:
    """Update the ingest function to code that cannot be imported: the update stops, and no file comes to it."""
    cloud, name = drill.stack.cloud, drill.stack.outputs["ingestFunctionName"]
    before = _live(cloud, name)
    with drill.intake.paused():
        files = drill.upload("cannot-start", drill.size)
        try:
            update(cloud, name, _CANNOT_START)
        except InvocationError as error:
            stopped = "a package that is not in the layer" in str(error)
        else:
            stopped = False
    outcome = drill.audit("a release that cannot start", files)
    outcome = outcome.noting("" if stopped else "the update was not stopped")
    return outcome.noting("" if _live(cloud, name) == before else "the alias was moved")


def release_that_fails(drill: Drill) -> DrillOutcome:
    """Update the ingest function to code that fails with every file, and roll it back: the files wait meanwhile."""
    cloud, name = drill.stack.cloud, drill.stack.outputs["ingestFunctionName"]
    before = _live(cloud, name)
    with drill.intake.retried_after(_VISIBILITY_SECONDS):
        update(cloud, name, _FAILS)
        files = drill.upload("fails", drill.size)
        wait_until(lambda: _in_flight(drill) > 0, "no file came to the new version", timeout_seconds=_WAIT_SECONDS)
        done = subprocess.run(
            [sys.executable, "-m", "operate", "rollback", "ingest", "--yes"],
            cwd=ROOT,
            env={**os.environ, **drill.stack.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = drill.audit("a release that fails, rolled back", files)
    outcome = outcome.noting("" if done.returncode == 0 else done.stderr[-200:])
    right = _live(cloud, name) == before and outcome.completed == len(files)
    return outcome.noting("" if right else "not every file was completed by the version before")


def update(cloud: Cloud, name: str, handler: str) -> None:
    """Update a function's code in the order in which an update of the stack does: publish, check, move the alias.

    Raises
    ------
    InvocationError
        If the new version does not start; the alias is where it was.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("ingest/__init__.py", "")
        file.writestr("ingest/handler.py", handler)
    client = cloud.client("lambda")
    version = client.update_function_code(FunctionName=name, ZipFile=archive.getvalue(), Publish=True)["Version"]
    invoke(cloud, name, version, json.dumps(CHECK_EVENT))
    client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)


def _live(cloud: Cloud, name: str) -> str:
    return cloud.client("lambda").get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]


def _in_flight(drill: Drill) -> int:
    answer = drill.stack.cloud.client("sqs").get_queue_attributes(
        QueueUrl=drill.intake.queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])
