"""``make setup``: installs the locked packages with pip, and shows progress. Needs nothing but Python itself."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Final, TextIO

PIP: Final = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")

_CLEAR_LINE: Final = "\r\x1b[K"
_HEARTBEAT_SECONDS: Final = 1.0
_PLAIN_SECONDS: Final = 5.0
"""Between two lines where there is no terminal, such as in the log of CI."""


def install(
    requirements: Path, terminal: TextIO, *, pip: Sequence[str] = PIP, plain_seconds: float = _PLAIN_SECONDS
) -> int:
    """Install what a lock file names.

    Parameters
    ----------
    requirements
        The lock file, with hashes.
    terminal
        Where progress is shown: a line that changes, or lines where that is no terminal.
    pip
        How pip is called.
    plain_seconds
        The time between two of those lines.

    Returns
    -------
    int
        Pip's exit status. What it complains of, it writes to standard error.
    """
    total = sum("==" in line for line in requirements.read_text().splitlines())
    command = [*pip, "--require-hashes", "--requirement", str(requirements)]
    doing, done, name, before = "Downloading", 0, "", _count_installed()
    begun = shown = time.monotonic()
    terminal.write(f"Installing {total} packages from {requirements.name} (100 MB to download, 700 MB on disk, once)\n")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - all of it is ours
        for line in _lines(process.stdout):
            first, _, rest = line.partition(" ")
            if first == "Ignoring":  # a package for another system
                total -= 1
            elif first == "Collecting":
                done, name = done + 1, rest.partition("=")[0]
            elif line.startswith("Installing collected packages"):
                doing, name = "Installing", ""
            if doing == "Installing":
                done = _count_installed() - before
            text = f"  {doing}: {done} of {total} packages {name}".rstrip()
            if terminal.isatty():
                terminal.write(f"{_CLEAR_LINE}{text}")
            elif time.monotonic() - shown >= plain_seconds:
                shown = time.monotonic()
                terminal.write(f"{text}\n")
            terminal.flush()
    clear = _CLEAR_LINE if terminal.isatty() else ""
    ended = "Failed" if process.returncode else "Done"
    terminal.write(f"{clear}  {ended} after {time.monotonic() - begun:.0f} s\n")
    return process.returncode


def _lines(output: IO[str] | None) -> Iterator[str]:
    """Read line after line; an empty one after a while without output, since pip is silent while it installs."""
    queue: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        for line in output or ():
            queue.put(line)
        queue.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = queue.get(timeout=_HEARTBEAT_SECONDS)
        except Empty:
            line = ""
        if line is None:
            return
        yield line


def _count_installed() -> int:
    return sum(1 for _ in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


if __name__ == "__main__":
    sys.exit(install(Path(sys.argv[1]), sys.stdout))
