"""MiniStack as a child process: on a free loopback port, in a folder of its own, with IAM enforced."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local.certificate import write_certificate
from local.waiting import wait_for

HOST: Final = "127.0.0.1"
ACCESS_KEY: Final = "test"
SECRET_KEY: Final = "test"  # noqa: S105 - the emulator's administrator, reachable from this machine only
_APPLICATION: Final = Path(__file__).parent / "emulated" / "application.py"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 60
_LOG_TAIL: Final = 3000


class EmulatorError(RuntimeError):
    """The emulator does not start, or stopped. The message ends with its last log lines."""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator.

    Parameters
    ----------
    endpoint
        Its URL, for every service.
    region
        The region that it emulates.
    ca_bundle
        The authority to trust.
    log
        What it printed.
    faults
        Names of DynamoDB operations, a line each, that are throttled while this file is there.
    throttled
        The calls that were throttled, a line each; not there before the first.
    slow
        Seconds that the functions wait for each upload that they read, while this file is there.
    requests
        What the functions ask for, a line of JSON each, from when this file is there.
    restart
        Stops it in order and starts it again; what it holds is kept only if it was started to keep it.
    """

    endpoint: str
    region: str
    ca_bundle: Path
    log: Path
    faults: Path
    throttled: Path
    slow: Path
    requests: Path
    restart: Callable[[], None] = field(default=lambda: None, compare=False)

    @contextlib.contextmanager
    def slow_reads(self, seconds: float) -> Iterator[None]:
        """Let the functions wait so long for each upload that they read."""
        self.slow.write_text(str(seconds))
        try:
            yield
        finally:
            self.slow.unlink()

    @contextlib.contextmanager
    def noted_requests(self) -> Iterator[Path]:
        """Note what the functions ask for: a line of JSON each, in the file that is returned."""
        self.requests.touch()
        try:
            yield self.requests
        finally:
            self.requests.unlink()

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which any AWS SDK or the AWS CLI reaches it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "NO_PROXY": HOST,
        }


@contextlib.contextmanager
def running(region: str, *, preferred_port: int = 0, keep_state: bool = False) -> Iterator[Emulator]:
    """Start an emulator, and stop it and remove its folder in the end.

    Parameters
    ----------
    region
        The region that it emulates.
    preferred_port
        The port to take if it is free. 0: any free one.
    keep_state
        Whether what it holds outlives a restart.

    Raises
    ------
    EmulatorError
        If it is not ready in time.
    """
    folder = Path(tempfile.mkdtemp(prefix="local-cloud-"))
    try:
        authority, certificate = write_certificate(folder)
        listener = _bind(preferred_port)
        port = int(listener.getsockname()[1])
        emulator = Emulator(
            endpoint=f"https://{HOST}:{port}",
            region=region,
            ca_bundle=authority,
            log=folder / "emulator.log",
            faults=folder / "faults",
            throttled=folder / "throttled",
            slow=folder / "slow",
            requests=folder / "requests",
        )
        server = _Server(emulator, _environment(emulator, folder, certificate, port, keep_state=keep_state))
        try:
            server.start(listener)
            yield replace(emulator, restart=server.restart)
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def workers(function: str) -> list[int]:
    """Return the processes that run a function; on a machine without /proc there are none to be seen."""
    found: list[int] = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours
            if f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found


class _Server:
    """The emulator's process, and after a restart the next."""

    def __init__(self, emulator: Emulator, environment: Mapping[str, str]) -> None:
        self._emulator = emulator
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, listener: socket.socket) -> None:
        # Handed over bound: a port that is only known to be free may be another's by the time that it is asked for.
        with listener, self._emulator.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - all of it is ours
                # Not `-m ministack`: with TLS that also listens on port 443 wherever it may.
                [
                    *(sys.executable, "-m", "hypercorn", f"{_APPLICATION}:app", "--workers", "0"),
                    *("--bind", f"fd://{listener.fileno()}"),
                    *("--certfile", self._environment["MINISTACK_SSL_CERT"]),
                    *("--keyfile", self._environment["MINISTACK_SSL_KEY"], "--keep-alive", "75"),
                ],
                env=self._environment,
                cwd=self._emulator.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                # Ctrl-C is for us: we stop the emulator when we are done with it.
                start_new_session=True,
            )
        _wait_until_ready(self._emulator, self._process)

    def restart(self) -> None:
        if self._process is not None:
            # Asked, it writes down what it holds; what it started does not hear of it.
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_STOP_SECONDS)
        self.kill()
        listener = _bind(urlsplit(self._emulator.endpoint).port or 0)
        if f":{listener.getsockname()[1]}" not in self._emulator.endpoint:
            listener.close()
            raise EmulatorError(f"{self._emulator.endpoint} was taken by another process meanwhile")
        self.start(listener)

    def kill(self) -> None:
        # Not asked: nothing of it is kept, and its functions' workers are in its group and go with it.
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _environment(emulator: Emulator, folder: Path, certificate: Path, port: int, *, keep_state: bool) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PULUMI_")) and not name.upper().endswith("_PROXY")
    }
    return {
        **inherited,
        **emulator.environment(),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": emulator.region,
        "STARTED_BY": str(os.getpid()),
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "PERSIST_STATE": str(int(keep_state)),
        "S3_PERSIST": str(int(keep_state)),
        "FAULTS_FILE": str(emulator.faults),
        "THROTTLED_FILE": str(emulator.throttled),
        "SLOW_FILE": str(emulator.slow),
        "REQUESTS_FILE": str(emulator.requests),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(certificate),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # There is no X-Ray daemon to send to.
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def _bind(preferred: int) -> socket.socket:
    """Return a socket that is bound to the preferred port, or, if that is in use, to any other."""
    for port in (preferred, 0):
        listener = socket.socket()
        # A port whose last connections are still closing is free; one with a listener is not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind((HOST, port))
            return listener
        listener.close()
    raise EmulatorError(f"no free port on {HOST}")


def _wait_until_ready(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    context = ssl.create_default_context(cafile=str(emulator.ca_bundle))
    # Past any proxy: this machine is not behind it.
    url = f"{emulator.endpoint}/_ministack/ready"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def answers_or_ended() -> bool:
        with contextlib.suppress(urllib.error.URLError, OSError), opener.open(url, timeout=2):
            return True
        return process.poll() is not None

    ready = wait_for(answers_or_ended, timeout_seconds=_START_SECONDS)
    status = process.poll()
    if not ready or status is not None:
        problem = f"ended with status {status}" if ready else f"is not ready after {_START_SECONDS} s"
        raise EmulatorError(f"the local cloud {problem}:\n{emulator.log.read_text(errors='replace')[-_LOG_TAIL:]}")
