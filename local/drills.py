"""Faults on the local cloud, and what became of every file: ``make drill``."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from local.backlog import LARGEST_BYTES, backlog, lost_events
from local.delivery_drills import endpoint_down, one_file_failing
from local.emulator import workers
from local.ends import ENDS, Ends
from local.files import UploadedFile
from local.intake import IntakeDriver
from local.outcome import DrillOutcome, audit
from local.release_drills import release_that_cannot_start, release_that_fails
from local.stack import LocalStack
from local.stack_config import ROOT
from local.waiting import wait_until
from shared.catalog.model import ObjectVersion, Status
from shared.created_event import created_event

# A worker's claim lapses with its invocation: after five seconds, not ten, and two of margin.
# The drills of the delivery have a stack of their own.
OVERRIDES: Final[Mapping[str, object]] = {
    "functionTimeoutSeconds": 5,
    "timeReserveSeconds": 1,
    "deliveryEndpoint": "",
    # The largest record file is what an invocation less two reserves can be counted on to read.
    "recordBytesPerSecond": LARGEST_BYTES // 3,
    "maxObjectBytes": LARGEST_BYTES,
}

VISIBILITY_SECONDS: Final = 3
"""In place of six time-outs: a drill is over in minutes. At the fourth receive a dead worker's claim has lapsed."""

_GOOD: Final = b"shipment_id,status,timestamp\nSHP-1,delivered,2026-11-20T08:15:00Z\n"
_POISON: Final[Mapping[str, bytes]] = {
    "cut.json": b'[{"shipment_id": "SHP-1"',
    "cut.csv.gz": gzip.compress(_GOOD * 100)[:-20],
    "bomb.json.gz": gzip.compress(b"[" + b" " * 40_000_000),
    "deep.json": b"[" * 50_000,
    "binary.csv": b"\xff\xfe\x00\x01",
    "bad.ndjson": b'{"shipment_id": 1}\n' * 3,
}
_MALFORMED: Final = ('{"Records": []}', "not JSON", '{"Records": [{"eventSource": "aws:sns"}]}')
_THREADS: Final = 16
_KILL_SHARE: Final = 0.3
_KILL_SECONDS: Final = 0.3
"""Longest wait between two kills."""

_FAULT_SECONDS: Final = 4.0
_WAIT_SECONDS: Final = 300.0


class Drill:
    """One stack, and the faults that it is put through.

    Parameters
    ----------
    stack
        The stack; for `stopped_and_started` its emulator must keep its state.
    seed
        Decides what is random.
    size
        Files of a drill.
    burst_size
        Files of the burst.
    """

    def __init__(self, stack: LocalStack, *, seed: int, size: int, burst_size: int) -> None:
        self.stack = stack
        self.intake = IntakeDriver(stack=stack)
        self.ends = Ends(stack)
        self.chance = random.Random(seed)  # noqa: S311 - which worker dies is no secret
        self.size = size
        self.burst_size = burst_size

    @classmethod
    def all(cls) -> Mapping[str, Callable[[Drill], DrillOutcome]]:
        """Return every drill by its name, in the order in which they are played."""
        drills = (
            cls.duplicates,
            cls.reversed_order,
            cls.killed_workers,
            cls.throttled_table,
            cls.denied_reads,
            cls.poison,
            cls.stopped_and_started,
            cls.burst,
            cls.redrive_after_a_fix,
            backlog,
            lost_events,
            release_that_cannot_start,
            release_that_fails,
            one_file_failing,
            endpoint_down,
        )
        return {drill.__name__.replace("_", "-"): drill for drill in drills}

    def play(self, name: str) -> DrillOutcome:
        """Play one of them, with messages that are retried soon."""
        with self.intake.retried_after(VISIBILITY_SECONDS):
            return self.all()[name](self)

    def duplicates(self) -> DrillOutcome:
        """Send every event four times, as it comes."""
        with self.intake.paused():
            files = self.upload("duplicates", self.size)
            copies = [self._event(file) for file in files for _ in range(3)]
            self.chance.shuffle(copies)
            self._send(copies)
        return self.audit("duplicates, three of each", files, sent=4 * len(files))

    def reversed_order(self) -> DrillOutcome:
        """Send the events of several versions of each key, the last first."""
        with self.intake.paused():
            keys = [f"uploads/shipments/order/{number}.csv" for number in range(max(1, self.size // 3))]
            files = [
                self.intake.drop(key, _GOOD + f"SHP-{version},created,2026-11-20T08:15:00Z\n".encode())
                for version in range(3)
                for key in keys
            ]
            _wait_until(lambda: self.intake.waiting() == len(files), "not all events have arrived")
            self._send(reversed(self.intake.take_waiting()))
        outcome = self.audit("order reversed", files)
        last = {file.key: file.version_id for file in files}
        wrong = sum(self.intake.latest(key) != version for key, version in last.items())
        return outcome.noting(f"{wrong} keys with another latest version" if wrong else "")

    def killed_workers(self) -> DrillOutcome:
        """Kill workers at random moments, three for ten files, while there is work."""
        kills = 0
        with self.intake.paused():
            files = self.upload("killed", self.size)
        while kills < _KILL_SHARE * len(files) and self.intake.waiting():
            time.sleep(self.chance.uniform(0, _KILL_SECONDS))
            running = workers(self.stack.outputs["ingestFunctionName"])
            if running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.chance.choice(running), signal.SIGKILL)
                    kills += 1
        # A worker that is killed after its last write leaves a message behind, which may be received too often.
        outcome = self.audit(f"{kills} workers killed", files, dead=None)
        return outcome.noting("" if kills else "no worker was killed")

    def throttled_table(self) -> DrillOutcome:
        """Throttle every write to the table for a while."""
        emulator = self.stack.emulator
        emulator.throttled.unlink(missing_ok=True)
        emulator.faults.write_text("TransactWriteItems\nPutItem\nUpdateItem\n")
        try:
            files = self.upload("throttled", self.size)
            _wait_until(emulator.throttled.exists, "no call was throttled")
            time.sleep(_FAULT_SECONDS)
        finally:
            emulator.faults.unlink()
        return self.audit("table throttled for a while", files)

    def denied_reads(self) -> DrillOutcome:
        """Let the bucket deny reads for a while."""
        with self.intake.denied("s3:GetObject", "s3:GetObjectVersion"):
            files = self.upload("denied", self.size)
            denied = self._denied_after(_FAULT_SECONDS, files)
        outcome = self.audit("bucket denying reads for a while", files)
        return outcome.noting("" if denied else "no read was denied")

    def poison(self) -> DrillOutcome:
        """Mix files that cannot be read, and messages that are not uploads, with good files."""
        poison = [self.intake.drop(f"uploads/shipments/poison/{name}", body) for name, body in _POISON.items()]
        files = self.upload("poison", self.size)
        self._send(_MALFORMED)
        outcome = self.audit("poison among good files", [*files, *poison], sent=len(files) + len(poison) + 3, dead=3)
        right = outcome.completed == len(files) and outcome.rejected == len(poison)
        return outcome.noting("" if right else "a good file rejected, or a bad one completed")

    def stopped_and_started(self) -> DrillOutcome:
        """Stop the emulator in the middle of the work and start it again, its state kept."""
        half = self.size // 2
        files = self.upload("stopped-after", half)
        _wait_until(lambda: self.intake.waiting() == 0, "the intake queue is not empty")
        with self.stack.emulator.slow_reads(_WAIT_SECONDS):
            held = self.upload("stopped", self.size - half)
            _wait_until(lambda: self._is_claimed(held), "no file was claimed")
        files += held
        self.ends.count()  # the emulator forgets its streams; what is written between this and its stop is not read
        self.stack.emulator.restart()
        left = self.intake.waiting()
        outcome = self.audit("stopped and started again", files, all_told=False)
        return outcome.noting("" if left else "no work was left when it stopped")

    def burst(self) -> DrillOutcome:
        """Upload many files at once."""
        return self.audit(f"burst of {self.burst_size}", self.upload("burst", self.burst_size))

    def redrive_after_a_fix(self) -> DrillOutcome:
        """Let messages fail until they are dead-lettered, remove the cause, and send them again."""
        with self.intake.retried_after(1), self.intake.denied("s3:GetObject", "s3:GetObjectVersion"):
            files = self.upload("redrive", max(1, self.size // 2))
            _wait_until(lambda: self.intake.dead_letters() == len(files), "not all are dead-lettered")
        command = [sys.executable, "-m", "operate", "redrive", "--json"]
        done = subprocess.run(  # noqa: S603 - all of it is ours
            command,
            cwd=ROOT,
            env={**os.environ, **self.stack.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = self.audit("redrive after a fix", files, sent=2 * len(files))
        return outcome.noting("" if done.returncode == 0 else done.stderr[-200:])

    def _denied_after(self, seconds: float, files: Sequence[UploadedFile]) -> bool:
        """Wait so long, or longer for the first file to end; return whether a read was denied meanwhile."""
        least = time.monotonic() + seconds
        denied = False

        def over() -> bool:
            nonlocal denied
            items = self.intake.items()
            known = [items.get(file, {}) for file in files]
            denied = denied or any(item.get("status") == "FAILED" for item in known)
            ended = denied or all(item.get("status") in ENDS for item in known)
            return ended and time.monotonic() > least

        _wait_until(over, "no file has ended")
        return denied

    def _is_claimed(self, files: Sequence[UploadedFile]) -> bool:
        """Tell whether a worker is at one of the files."""
        items = self.intake.items()
        return any(items.get(file, {}).get("status") == Status.PROCESSING for file in files)

    def upload(self, name: str, count: int) -> list[UploadedFile]:
        """Upload good files, many at once."""
        with ThreadPoolExecutor(_THREADS) as threads:
            keys = [f"uploads/shipments/{name}/{number:05d}.csv" for number in range(count)]
            return list(threads.map(lambda key: self.intake.drop(key, _GOOD), keys))

    def _event(self, file: UploadedFile) -> str:
        bucket = self.intake.bucket
        head = self.stack.cloud.client("s3").head_object(Bucket=bucket, Key=file.key, VersionId=file.version_id)
        version = ObjectVersion(
            bucket=bucket,
            key=file.key,
            version_id=file.version_id,
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
            sequencer="",
            event_name="ObjectCreated:Put",
            event_time="",
        )
        return created_event(version, self.stack.cloud.region, sender="drill")

    def _send(self, bodies: Iterable[str]) -> None:
        for body in bodies:
            self.intake.send(body)

    def audit(
        self,
        fault: str,
        files: Sequence[UploadedFile],
        *,
        sent: int | None = None,
        dead: int | None = 0,
        all_told: bool = True,
    ) -> DrillOutcome:
        """Wait until nothing waits any more, and count what became of the files."""
        with contextlib.suppress(TimeoutError):
            _wait_until(lambda: self.intake.waiting() == 0, "the intake queue is not empty")
        return audit(self.intake, self.ends, fault, files, sent=sent, dead=dead, all_told=all_told)


def _wait_until(condition: Callable[[], bool], complaint: str) -> None:
    wait_until(condition, complaint, timeout_seconds=_WAIT_SECONDS)
