"""The demo and the standing local cloud as their user meets them, and what they leave behind: nothing."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from local import demo, emulator, samples
from local.__main__ import main
from local.drills import OVERRIDES
from local.program import check_settings
from local.receiver import Arrival, Receiver, Reply
from local.report import AnswerRow
from local.stack import LocalStack
from local.stack_config import ROOT, StackConfig
from local.waiting import wait_until
from tests.local.conftest import LocalPipeline
from tests.local.test_operate import operate
from tests.stage_files import STAGES


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is run in this process builds the stage of the tests, whatever a team's own says."""
    monkeypatch.setattr("local.stack_config.ROOT", STAGES)


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def test_the_demo_shows_the_files_then_the_verdict_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy, too, which is not asked for this machine."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    screen = console()

    assert demo.run(screen) == 0

    before, files = printed(screen).split("\nFiles ")
    for sample in samples.read_samples():
        (line,) = [line for line in files.splitlines() if f" {sample.key} " in line]
        assert sample.status in line
        assert sample.reason in line
    verdict, *following = files.splitlines()[-3:]
    assert re.fullmatch(r"13 files and 8 requests, each as it should, 10 delivered, in [0-9.]+ s\.", verdict)
    assert following[0].startswith("Next: `make local` ")
    assert "`make demo V=1`" in following[1]
    assert len(before.splitlines()) < 10
    assert [line for line in before.splitlines() if line.endswith(" …")] == [
        "Starting the local cloud …",
        "Building the stack …",
        "Processing files …",
        "Waiting for the deliveries …",
        "Asking the API …",
    ], "what takes long is said before"
    assert "\x1b[" not in printed(screen), "no colours where there is no terminal"
    assert list(tmp_path.iterdir()) == []


def test_the_demo_shows_everything_if_asked_and_its_stack_passes_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = console()
    checked = list[tuple[int, dict[str, object]]]()
    ask = demo._ask  # noqa: SLF001 - the last that the demo does with its stack

    def ask_and_check(stack: LocalStack) -> list[AnswerRow]:
        answers = ask(stack)
        checked.append(operate(LocalPipeline(stack=stack), "check"))
        return answers

    monkeypatch.setattr(demo, "_ask", ask_and_check)

    assert demo.run(screen, verbose=True) == 0

    ((status, found),) = checked
    assert (status, found["ok"]) == (0, True), found

    before, files = printed(screen).split("\nFiles ")
    _, outputs, emulation, deliveries = re.split(
        r"\nOutputs |\nDeclared, but not or not fully emulated|\nDeliveries, as the receiver took them", before
    )
    for sample in samples.read_samples():
        delivered = re.search(rf" {re.escape(sample.key)} +│ {sample.status} +│ [0-9a-f]{{32}} ", deliveries)
        assert bool(delivered) is (sample.status != "SKIPPED")
    assert "bucketName" in outputs
    assert ":secret:file-pipeline-local-secret-" in outputs, "an ARN is no emoji"
    assert "aws:cloudwatch/metricAlarm:MetricAlarm" in emulation
    assert "Rejected records of uploads/shipments/2026-11-20.csv" in emulation
    assert "API, as the test user" in deliveries
    assert "10 delivered, in " in files


class Forgetful(Receiver):
    """Says that it took what it never saw."""

    def receive(self, arrival: Arrival) -> Reply | None:
        return Reply(status=204) if b"MANIFEST" in arrival.body else super().receive(arrival)


def test_the_demo_fails_if_a_file_ends_otherwise_or_a_delivery_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "samples"
    (wrong / "uploads").mkdir(parents=True)
    for name in ("setup.exe", "MANIFEST"):
        (wrong / "uploads" / name).write_bytes(b"MZ")
    with (wrong / "expected.csv").open("w", newline="") as file:
        rows = [("uploads/setup.exe", "COMPLETED", ""), ("uploads/MANIFEST", "COMPLETED", "")]
        csv.writer(file).writerows([("key", "status", "reason"), *rows])
    monkeypatch.setattr(samples, "SAMPLES", wrong)
    monkeypatch.setattr(demo, "Receiver", Forgetful)
    monkeypatch.setattr(demo, "_DELIVERY_SECONDS", 3)
    screen = console()

    assert demo.run(screen) == 1

    assert "SKIPPED (wrong)" in printed(screen)
    assert "none arrived" in printed(screen)
    assert "1 not as it should, 1 not delivered" in printed(screen)


def test_samples_and_their_list_agree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "unlisted.csv").touch()
    (tmp_path / "expected.csv").write_text("key,status,reason\n")
    monkeypatch.setattr(samples, "SAMPLES", tmp_path)

    with pytest.raises(ValueError, match=r"uploads/unlisted\.csv"):
        samples.read_samples()


@pytest.mark.parametrize("command", ["demo", "up", "drill"])
@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("logLevel: DEBUG", "logLevel: LOUD", "file-pipeline:logLevel = 'LOUD'"),
        ("aws:region: us-east-1", "aws:secretKey: test", "aws:region: is required"),
    ],
)
def test_a_wrong_setting_is_told_in_place_of_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
    before: str,
    after: str,
    told: str,
) -> None:
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        (tmp_path / name).write_text((STAGES / name).read_text().replace(before, after))
    monkeypatch.setattr("local.stack_config.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["python -m local", command])
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest's own must stay
    monkeypatch.setenv("AWS_PROFILE", "")

    assert main() == 2

    error = capfd.readouterr().err
    assert error.startswith("wrong settings of stack 'local':\n")
    assert told in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("overrides", "endpoint"), [({}, True), (OVERRIDES, False)])
def test_a_drill_has_no_use_for_an_endpoint(overrides: dict[str, object], endpoint: bool) -> None:
    given = StackConfig.load("local", {"deliveryEndpoint": "http://127.0.0.1:9/", **overrides})

    check_settings(given)

    assert bool(given.values["file-pipeline:deliveryEndpoint"]) is endpoint


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_standing_cloud_ends_and_leaves_nothing(tmp_path: Path) -> None:
    text = stand_until(signal.SIGINT, tmp_path, "-m", "local", "up")

    assert "export AWS_ENDPOINT_URL=https://127.0.0.1:" in text
    assert re.search(r"aws s3 cp --recursive samples/ s3://[a-z0-9-]+-local-landing-", text)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_it_is_stopped_nothing_is_left(tmp_path: Path, stop: signal.Signals) -> None:
    stand_until(stop, tmp_path, "-c", _STAND_WITHOUT_A_STACK, "up")


_STAND_WITHOUT_A_STACK = """
import signal, sys
from local import __main__, emulator, up

def run(console):
    with emulator.running("us-east-1") as cloud:
        console.print(f"{cloud.endpoint}, Ctrl-C stops it")
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0

up.run = run
sys.exit(__main__.main())
"""


def stand_until(stop: signal.Signals, folder: Path, *command: str) -> str:
    """Start a local cloud in a process of its own and stop it; what it printed, once nothing of it is left."""
    output, temporary = folder / "output", folder / "tmp"
    temporary.mkdir()
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - all of it is ours
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Ctrl-C stops it" in output.read_text(), "never stood")
        text = output.read_text()
        port = int(text.split("https://127.0.0.1:")[1].split(",")[0])

        process.send_signal(stop)

        assert process.wait(60) == (-signal.SIGKILL if stop == signal.SIGKILL else 0)
    finally:
        process.terminate()  # whatever failed: it takes itself down
        process.wait(60)
    if stop == signal.SIGKILL:  # the emulator sees it, removes its folder, and goes too
        wait_until(lambda: not listens(port) and not list(temporary.iterdir()), "still there")
    assert not listens(port)
    assert list(temporary.iterdir()) == []
    return text


def test_a_preferred_port_that_is_taken_is_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with emulator.running("us-east-1", preferred_port=port) as cloud:
            assert cloud.endpoint.startswith("https://127.0.0.1:")
            assert not cloud.endpoint.endswith(f":{port}")


def test_an_emulator_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(emulator.EmulatorError, match="ended with status 1"), emulator.running("us-east-1"):
        pass
