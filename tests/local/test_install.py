"""The first set-up: what is shown while pip works, on a terminal and elsewhere."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from local.install import install

PIP = """
import sys
print("Ignoring colorama: markers 'sys_platform == \\"win32\\"' don't match your environment", flush=True)
for name in ("anyio", "boto3"):
    print(f"Collecting {name}==1.0 (from -r requirements-dev.txt (line 1))", flush=True)
print("Installing collected packages: anyio, boto3", flush=True)
print(sys.argv[1:], file=sys.stderr)
sys.exit(STATUS)
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    file = tmp_path / "requirements-dev.txt"
    file.write_text("anyio==1.0 \\\n    --hash=sha256:0\nboto3==1.0\ncolorama==1.0 ; sys_platform == 'win32'\n")
    return file


@pytest.mark.parametrize("status", [0, 1])
@pytest.mark.parametrize("terminal", [True, False])
def test_it_is_shown_how_far_it_is(
    locked: Path, capfd: pytest.CaptureFixture[str], *, status: int, terminal: bool
) -> None:
    screen = Terminal() if terminal else io.StringIO()
    pip = [sys.executable, "-c", PIP.replace("STATUS", str(status))]

    assert install(locked, screen, pip=pip, plain_seconds=0) == status

    assert capfd.readouterr().err == f"['--require-hashes', '--requirement', '{locked}']\n"
    text = screen.getvalue()
    first, *lines, last = text.replace("\r\x1b[K", "\n").splitlines() if terminal else text.splitlines()
    assert first == "Installing 3 packages from requirements-dev.txt (100 MB to download, 700 MB on disk, once)"
    assert [line for line in lines if line] == [
        "  Downloading: 0 of 2 packages",
        "  Downloading: 1 of 2 packages anyio",
        "  Downloading: 2 of 2 packages boto3",
        "  Installing: 0 of 2 packages",
    ]
    assert last.startswith("  Failed after " if status else "  Done after ")
    assert ("\x1b" in text) is terminal


def test_a_log_gets_a_line_now_and_then(locked: Path) -> None:
    screen = io.StringIO()

    install(locked, screen, pip=[sys.executable, "-c", PIP.replace("STATUS", "0")], plain_seconds=1000)

    assert len(screen.getvalue().splitlines()) == 2


class Watched(Terminal):
    """Lets pip end when it is seen that something is shown while pip says nothing."""

    def __init__(self, seen: Path) -> None:
        super().__init__()
        self._seen = seen

    def write(self, text: str) -> int:
        if "Installing: " in text and "Installing: " in self.getvalue():
            self._seen.touch()
        return super().write(text)


def test_while_pip_is_silent_it_is_still_shown(locked: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    silent = f"""
import time
from pathlib import Path
print("Installing collected packages: anyio, boto3", flush=True)
for _ in range(3000):
    if Path({str(seen)!r}).exists():
        raise SystemExit(0)
    time.sleep(0.01)
raise SystemExit(1)
"""

    assert install(locked, Watched(seen), pip=[sys.executable, "-c", silent]) == 0
