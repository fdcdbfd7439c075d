"""What a function that starts from a snapshot needs: nothing unique, timed or connected is made before it."""

from __future__ import annotations

import os
import subprocess
import sys

from local.stack_config import ROOT
from tests.conftest import declare
from tests.lambda_src.conftest import FAKE_ENVIRONMENT, declared_environment

_START = """
import random, sys
from types import ModuleType

import boto3

def refused(*_args, **_options):
    raise AssertionError("a client made at start has the snapshot's connections and credentials")

boto3.client = refused
restored = []
hooks = ModuleType("snapshot_restore_py")
hooks.__spec__ = sys.__spec__
hooks.register_after_restore = lambda hook, *arguments: restored.append((hook, arguments))
sys.modules["snapshot_restore_py"] = hooks
import api.handler

drawn = []
for _ in range(2):
    random.seed(7)  # as it was in the snapshot
    for hook, arguments in restored:
        hook(*arguments)
    drawn.append(random.random())
print(len(set(drawn)))
"""


def test_the_apis_function_can_start_from_a_snapshot() -> None:
    """Its waits between tries are drawn anew in each environment: they must not meet again."""
    done = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-W", "ignore", "-c", _START],
        cwd=ROOT / "lambda_src",
        env={**declared_environment(declare("prod"), "api"), **FAKE_ENVIRONMENT, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
