"""Counts what files and requests need: a stage as it is shipped, on the local cloud, and one kind after the other."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

from msgspec.structs import replace
from rich.console import Console

from benchmarks.files import write_file
from local.api import ApiClient, sign_in_test_user
from local.files import UploadedFile, wait_for_attempts
from local.intake import IntakeDriver
from local.receiver import Receiver, listening
from local.report import working
from local.stack import LocalStack, local_stack
from local.stack_config import StackConfig
from local.waiting import wait_until
from operate.capacity.measured import Case, Measured, Stage, Work
from tools.costs.idle import SHIPPED
from tools.costs.watch import Seen, watching
from tools.docs.settings import settings

STAGES: Final = ("dev", "prod")

_FILES: Final = 10
"""Files and requests of a kind that are counted in a round; each does the same."""

_ROUNDS: Final = 3
"""The median of rounds is taken: what else this machine does shows in one of them."""

_WAIT_SECONDS: Final = 900
_KB: Final = 1024
_MB: Final = 1_000_000
_LARGEST_COUNTED: Final = 60 * _MB
"""Of a file of records: a larger one is counted by this one, since time and parts grow with the size alone."""

_RECORD: Final = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00"}

_ELSEWHERE: Final[Mapping[str, object]] = {
    "layerPlatform": "host",
    "retainData": False,
    "testUser": True,
    "threatProtection": "off",
    # This machine is slower than the stage counts on: what is counted is the work, not whether it is done in time.
    "functionTimeoutSeconds": 900,
}
"""What is set otherwise than in the stage, to run it here; none of it changes what a file needs."""


def measure(console: Console) -> Measured:
    """Measure every stage; takes about ten minutes.

    Raises
    ------
    TimeoutError
        If a file does not end, or is not delivered.
    """
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    stages: dict[str, Stage] = {}
    for stage in STAGES:
        stages[stage] = _measure_stage(console, stage)
    return Measured(day=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine, stages=stages)


class Bench:
    """A stack that delivers, and what is sent to it.

    Parameters
    ----------
    stack, receiver
        The stack and the endpoint that it delivers to.

    Attributes
    ----------
    metrics
        The metrics that each function wrote so far.
    """

    def __init__(self, stack: LocalStack, receiver: Receiver) -> None:
        self._stack = stack
        self._receiver = receiver
        self._intake = IntakeDriver(stack=stack)
        self._uploads = 0
        self.metrics: dict[str, set[str]] = {}

    def file(self, key: str, body: bytes, count: int) -> Case:
        """Count what a file needs, once one like it has warmed up the functions."""
        return self._rounds(lambda: self._send(key, body), count, len(body))

    def request(self, send: Callable[[], int], *, delivered: bool = False) -> Case:
        """Count what a request needs, which answers an HTTP status, and whose result may be delivered."""
        return self._rounds(lambda: self._ask(send, delivered=delivered), _FILES, 0)

    def _rounds(self, act: Callable[[], object], count: int, size: int) -> Case:
        act()
        cases = []
        for _ in range(_ROUNDS):
            with watching(self._stack) as seen:
                for _ in range(count):
                    act()
            cases.append(self._case(seen, count, size))
        return middle(cases)

    def _ask(self, send: Callable[[], int], *, delivered: bool) -> None:
        """Send a request; where its result is delivered, wait until it is: two at once would be one invocation."""
        before = len(self._receiver.arrivals)
        status = send()
        if status >= 400:  # noqa: PLR2004 - an error, as HTTP has it
            raise RuntimeError(f"the API answered {status}")
        if delivered:
            self._wait(lambda: len(self._receiver.arrivals) > before, "the request's result is not delivered")

    def _wait(self, arrived: Callable[[], bool], complaint: str) -> None:
        """Wait until something is delivered, and nothing waits any more."""
        queues = self._intake.queue_url, self._stack.outputs["deliveryQueueUrl"]
        wait_until(
            lambda: arrived() and all(self._intake.count(url) == 0 for url in queues),
            complaint,
            timeout_seconds=_WAIT_SECONDS,
        )

    def _case(self, seen: Seen, count: int, size: int) -> Case:
        for purpose, names in seen.metrics.items():
            self.metrics[purpose] = self.metrics.get(purpose, set()) | names
        works = {
            purpose: Work(
                invocations=round(invocations / count, 2),
                cpu_ms=round(seen.cpu_ms[purpose] / count, 1),
                log_bytes=round(seen.log_bytes[purpose] / count),
                calls={name: round(calls / count, 2) for name, calls in sorted(seen.calls[purpose].items())},
            )
            for purpose, invocations in sorted(seen.invocations.items())
            if invocations
        }
        return Case(
            size=size,
            functions=works,
            write_units={name: round(units / count, 2) for name, units in sorted(seen.write_units.items())},
            table_writes=round(seen.table_writes / count, 2),
            read_units=round(seen.read_units / count, 1),
            stored_bytes=round(seen.stored_bytes / count),
        )

    def _send(self, key: str, body: bytes) -> UploadedFile:
        """Send a file, and wait until it is delivered and nothing waits any more."""
        self._uploads += 1
        folder, _, name = key.rpartition("/")
        file = self._intake.drop(f"{folder}/{self._uploads:04d}-{name}", body)
        ended = wait_for_attempts(self._stack.cloud, self._intake.table, [file], timeout_seconds=_WAIT_SECONDS)
        if not ended or ended[file]["status"] != "COMPLETED":
            raise TimeoutError(f"{file.key} did not end as COMPLETED: {ended}")
        self._wait(
            lambda: any(a.payload["version_id"] == file.version_id for a in list(self._receiver.arrivals)),
            f"{file.key} is not delivered",
        )
        return file


def middle(cases: Sequence[Case]) -> Case:
    """Return the median of rounds that did the same; how far their CPU times are apart is kept beside."""
    first = cases[0]
    works = {
        purpose: _middle_work([case.functions[purpose] for case in cases if purpose in case.functions])
        for purpose in first.functions
    }
    return replace(first, functions=works, read_units=median(case.read_units for case in cases))


def _middle_work(works: Sequence[Work]) -> Work:
    times = [work.cpu_ms for work in works]
    return replace(
        works[0],
        invocations=median(work.invocations for work in works),
        cpu_ms=round(median(times), 1),
        cpu_spread_ms=round(max(times) - min(times), 1),
        log_bytes=round(median(work.log_bytes for work in works)),
    )


@contextmanager
def bench(console: Console, overrides: Mapping[str, object]) -> Iterator[tuple[LocalStack, Bench]]:
    """Build a stack that delivers, to measure on."""
    with (
        listening(Receiver) as receiver,
        local_stack(console, overrides={**overrides, **_ELSEWHERE, "deliveryEndpoint": receiver.url}) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
        yield stack, Bench(stack, receiver)


def _measure_stage(console: Console, stage: str) -> Stage:
    config = StackConfig.load(stage, folder=SHIPPED)
    defaults = {setting.key: setting.default for setting in settings()}
    given = {key.partition(":")[2]: value for key, value in config.values.items() if key.startswith(config.project)}
    own = {key: value if isinstance(value, str) else json.dumps(value) for key, value in {**defaults, **given}.items()}
    seconds = int(own["functionTimeoutSeconds"]) - 2 * int(own["timeReserveSeconds"])
    largest = min(seconds * int(own["recordBytesPerSecond"]), int(own["maxObjectBytes"]))
    cases: dict[str, Case] = {}
    with bench(console, own) as (stack, made):
        with working(console, f"Measuring {stage}") as show:
            for name, measure_case in _cases(stack, made, largest):
                show(f"Measuring {stage}: {name}")
                cases[name] = measure_case()
        metrics = {purpose: len(names) for purpose, names in sorted(made.metrics.items())}
        return Stage(
            memory_mb=int(own["functionMemoryMb"]),
            custom_metrics=metrics,
            event_bridge=own["eventBridgeNotifications"] == "true",
            system_logs=_logs_invocations(stack),
            cases=cases,
        )


def _cases(stack: LocalStack, made: Bench, largest: int) -> Iterator[tuple[str, Callable[[], Case]]]:
    yield "catalogOnly", lambda: made.file("uploads/documents/delivery-note.pdf", b"%" * (10 * _KB), _FILES)
    api = sign_in_test_user(stack)
    # Before there are more files: a list reads more where each shard has more.
    yield "listFiles", lambda: made.request(lambda: api.get("/files", limit=20).status)
    name = "uploads/shipments/shipments.csv"
    yield "record1MB", lambda: made.file(name, _records(_MB), _FILES)
    yield "recordLargest", lambda: _grown(made.file(name, _records(_LARGEST_COUNTED), 1), largest)
    yield "showFile", lambda: made.request(_show(api))
    # Another record each time: what came before is answered from the catalog.
    fresh = ({"data": [{**_RECORD, "shipment_id": f"SHP-{number}"}]} for number in count())
    yield "validate", lambda: made.request(lambda: api.post("/validate", next(fresh)).status)
    yield "process", lambda: made.request(lambda: api.post("/process", next(fresh)).status, delivered=True)


def _show(api: ApiClient) -> Callable[[], int]:
    files = api.get("/files", limit=1).body["files"]
    if not isinstance(files, list):
        raise TypeError(f"GET /files answered {files!r}")
    path = str(files[0]["path"])
    return lambda: api.get(path).status


def _records(size: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write_file(path, "csv", size, zipped=False)
        body = path.read_bytes()
    return body[: body.rfind(b"\n", 0, size) + 1]  # whole blocks were written: the last record that fits


def _grown(case: Case, size: int) -> Case:
    """Return what a larger file needs: more time, and more parts of its results; all else is the same."""
    times = size / case.size
    work = case.functions["ingest"]
    calls = {name: count * (times if name == "s3.UploadPart" else 1) for name, count in work.calls.items()}
    grown = replace(
        work,
        cpu_ms=round(work.cpu_ms * times),
        cpu_spread_ms=round(work.cpu_spread_ms * times),
        calls={name: round(n) for name, n in calls.items()},
    )
    return replace(case, size=size, functions={**case.functions, "ingest": grown})


def _logs_invocations(stack: LocalStack) -> bool:
    """Return whether Lambda itself logs each invocation."""
    function = stack.cloud.client("lambda").get_function_configuration(FunctionName=stack.outputs["ingestFunctionName"])
    return function["LoggingConfig"].get("SystemLogLevel") != "WARN"
