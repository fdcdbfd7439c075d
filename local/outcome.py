"""What became of the files of a drill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote_plus

from local.ends import ENDS, Ends
from local.files import UploadedFile
from local.intake import IntakeDriver


@dataclass(frozen=True, kw_only=True)
class DrillOutcome:
    """What became of the files of a drill.

    Parameters
    ----------
    fault
        What was done.
    sent
        Events sent to the intake queue.
    completed, rejected
        Files that ended so.
    dead
        Dead-letter messages.
    lost
        Files without a final status and without a dead text.
    twice
        Files whose end was written more than once.
    wrong
        What else is wrong; empty if nothing is.
    files
        The files of which something is wrong, a line each.
    """

    fault: str
    sent: int
    completed: int
    rejected: int
    dead: int
    lost: int
    twice: int
    wrong: str = ""
    files: Sequence[str] = ()

    def noting(self, wrong: str, files: Sequence[str] = ()) -> DrillOutcome:
        """Return the outcome with one more thing that is wrong, and its files; empty: nothing more."""
        joined = "; ".join(filter(None, (self.wrong, wrong)))
        return replace(self, wrong=joined, files=[*self.files, *(f"{wrong}: {file}" for file in files)])

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, nothing was done twice, and all else is right."""
        return not (self.lost or self.twice or self.wrong)


def audit(
    intake: IntakeDriver,
    ends: Ends,
    fault: str,
    files: Sequence[UploadedFile],
    *,
    sent: int | None = None,
    dead: int | None = 0,
    all_told: bool = True,
) -> DrillOutcome:
    """Count what became of some files, when no message waits any more. Empties the dead-letter queue.

    Parameters
    ----------
    intake, ends
        Where to look.
    fault
        What was done.
    files
        The files.
    sent
        Events sent to the queue; None: one for each file.
    dead
        Dead-letter messages expected; None: any number.
    all_told
        Whether the stream must tell of each file's end.
    """
    items = intake.items()
    status = {file: str(items.get(file, {}).get("status", "not in the catalog")) for file in files}
    dead_letters = [body for body, _ in intake.take_dead_letters()]
    named = {file for file in files for text in dead_letters if quote_plus(file.key, safe="/") in text}
    written = ends.count()
    lost = [file for file in files if status[file] not in ENDS and file not in named]
    twice = [file for file in files if written[file] > 1]
    untold = [file for file in files if all_told and status[file] in ENDS and not written[file]]
    unexpected = dead is not None and len(dead_letters) != dead
    problems = {
        "lost": lost,
        "ended more than once": twice,
        "end not in the stream": untold,
        "dead text": [file for file in files if unexpected and file in named],
    }
    statuses = Counter(status.values())
    wrong = [
        *([f"{dead} dead-letter messages expected"] if unexpected else []),
        *([f"{len(untold)} ends that the stream does not tell of"] if untold else []),
    ]
    return DrillOutcome(
        fault=fault,
        sent=len(files) if sent is None else sent,
        completed=statuses["COMPLETED"],
        rejected=statuses["REJECTED"],
        dead=len(dead_letters),
        lost=len(lost),
        twice=len(twice),
        wrong="; ".join(wrong),
        files=[
            f"{problem}: {file.key}, version {file.version_id}, {status[file]}"
            for problem, those in problems.items()
            for file in those
        ],
    )
