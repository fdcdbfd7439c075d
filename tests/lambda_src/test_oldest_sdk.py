"""The functions work with the oldest SDK that they may meet: the Lambda runtime brings it, not the layer."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import botocore
import pytest

from local.stack_config import ROOT
from shared import clients

REQUIREMENTS: Final = ROOT / "tests" / "runtime" / "requirements.txt"
TESTS: Final = (
    "test_handler.py::test_a_batch_ends_with_exactly_the_right_messages_back",
    "test_record_files.py::test_valid_records_are_published_cleaned_and_the_others_with_their_reason",
    "test_publishing.py::test_results_are_stored_in_the_configured_class_at_once",
    "test_unreadable.py::test_a_lost_event_that_is_sent_anew_makes_its_version_the_latest",
    "test_reconcile_function.py::test_the_function_runs_with_what_the_program_gives_it",
    "api/test_stored_records.py::test_process_stores_what_is_valid_and_catalogs_it",
    "api/test_files.py::test_one_file",
    "api/test_find_files.py::test_the_latest_version_of_a_key",
    "api/test_find_files.py::test_a_prefix_costs_a_query_for_each_shard_and_one_batch",
    "api/test_uploads.py::test_an_upload_is_signed_for_one_key_type_and_size",
    "delivery/test_waits.py::test_a_message_that_failed_is_hidden_and_holds_up_its_own_file_alone",
    "delivery/test_forward_dead_letters.py::test_a_record_without_a_name_is_dead_lettered_whole_and_holds_up_nothing[key]",
)
"""Each call of each function is in one of them."""


@pytest.fixture(scope="module")
def oldest_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the oldest SDK and nothing else."""
    folder = tmp_path_factory.mktemp("sdk")
    subprocess.run(  # noqa: S603 - all of it is ours
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps"),
            *("--require-hashes", "--only-binary", ":all:", "--target", str(folder)),
            *("--requirement", str(REQUIREMENTS)),
        ],
        check=True,
    )
    return folder


def test_every_call_of_the_functions_is_known_to_it(oldest_sdk: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(oldest_sdk)}
    named = subprocess.run(
        [sys.executable, "-c", "import botocore; print(botocore.__version__)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert named.stdout.strip() == ".".join(map(str, clients.OLDEST_SDK))

    done = subprocess.run(  # noqa: S603 - the same
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            *(f"tests/lambda_src/{test}" for test in TESTS),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= len(TESTS)


def test_the_locked_one_is_the_oldest() -> None:
    assert f"botocore=={'.'.join(map(str, clients.OLDEST_SDK))} " in REQUIREMENTS.read_text()


def test_a_function_with_an_older_one_stops_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore, "__version__", "1.35.15")

    with pytest.raises(RuntimeError, match=r"botocore 1\.35\.15 is older than 1\.35\.16"):
        importlib.reload(clients)
