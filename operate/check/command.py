"""``check``: whether a deployed stack works: its parts, and a file that is followed to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Final

from cyclopts import Parameter, validators

from operate.check import api
from operate.check.file import CheckFile, Wait
from operate.check.findings import FAILED, Finding, examine
from operate.check.parts import Part, parts
from operate.command import ATTENTION, OK, if_interrupted
from operate.session import CurrentSession, FaultError, Session

_STEPS: Final = 6
"""What is looked at of the file, its removal included."""


@if_interrupted("what the check uploaded is removed; what could not be is removed by the next check")
def check(
    *,
    wait: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=86_400))] = 300,
    session: CurrentSession,
) -> int:
    """Check that the stack works: its parts, then a small file that is uploaded, followed to its end and removed.

    Parameters
    ----------
    wait
        Seconds that the file may take to its end, and to its delivery.
    session
        The stack.

    Returns
    -------
    int
        0 if all that the stack has works, else 1.
    """
    looks: list[Part] = [
        *parts(session),
        ("delivery's endpoint", partial(api.endpoint, session)),
        ("API's health", partial(api.health, session)),
    ]
    console = session.console
    findings = [Finding("outputs", "ok", f"of a stack in {session.region}")]
    with console.progress() as bars:
        task = bars.add_task("Looking at the parts", total=len(looks) + _STEPS)

        def note(part: str, look: Callable[[], str]) -> None:
            bars.update(task, description=part)
            findings.append(examine(part, look))
            bars.advance(task)

        for part, look in looks:
            note(part, look)
        _check_file(session, Wait(until=time.monotonic() + wait), note)
    return _report(session, findings)


def _check_file(session: Session, wait: Wait, note: Callable[[str, Callable[[], str]], None]) -> None:
    """Upload a file, follow it to its end, and remove it whatever happens."""
    file = CheckFile(session)
    try:
        note("file: upload", file.upload)
        note("file: final status", partial(file.end, wait))
        note("file: records", file.records)
        note("file: delivery", partial(file.delivery, wait))
        note("file: API's answer", lambda: _ask(session, file))
    finally:
        note("file: removal", file.remove)


def _ask(session: Session, file: CheckFile) -> str:
    expected = file.status()
    status = api.file_status(session, file.version.object_id)
    if status != expected:
        raise FaultError(f"the API says that it is {status}, not {expected}")
    return status


def _report(session: Session, findings: Sequence[Finding]) -> int:
    console, failed = session.console, [finding.part for finding in findings if finding.state == FAILED]
    console.result({"ok": not failed, "parts": [finding._asdict() for finding in findings]})
    console.table("Check", Finding._fields, findings)
    console.say(f"Needs attention: {', '.join(failed)}." if failed else "All that the stack has works.")
    return ATTENTION if failed else OK
