"""``reprocess``: puts files through again.

A finished version is never processed twice by itself, so its item is first set to FAILED, with who asked for it in
``reopened_by``, and then an event for it is sent to the intake queue. Dying between the two leaves such an item, which
``status`` shows, and which any selection that reaches it takes, whatever ``--status`` it asks for: its time has not
changed, so ``--day`` reaches it too. Its event is sent then; sent twice, it is processed once, since its file is
claimed. The catalog's condition lets one operator have a file, and no other change is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import Parameter

from operate.command import ATTENTION, OK, UsageError, if_interrupted
from operate.console import Console
from operate.rate import DEFAULT_RATE, Rate, RateLimiter
from operate.selection import Selected, key_of, of_day, of_prefix
from operate.session import CurrentSession, Session
from shared.catalog.model import Status
from shared.created_event import REPROCESS, created_event

READY: Final = "to be sent"
SENT: Final = "sent"
GONE: Final = "gone from S3"
AT_WORK: Final = "still being processed"
CHANGED: Final = "changed in the meantime"
NOT_SENT: Final = "failed"
NEVER_SEEN: Final = "never seen"
"""The state of an upload without an item: its event was lost. It is sent too."""

_SHOWN: Final = 50


_STATES: Final = (*(str(status) for status in Status), NEVER_SEEN)


def _check_states(_type: object, states: Sequence[str]) -> None:
    if strange := set(states) - set(_STATES):
        raise ValueError(f"{', '.join(sorted(strange))}: should be one of {', '.join(_STATES)}")


@if_interrupted("nothing is lost; run again, it begins anew: --status or a longer prefix leaves out what was sent")
def reprocess(
    target: str | None = None,
    /,
    *,
    day: date | None = None,
    status: Annotated[Sequence[str], Parameter(validator=_check_states)] = (),
    all_versions: bool = False,
    dry_run: bool = False,
    rate: Rate = DEFAULT_RATE,
    session: CurrentSession,
) -> int:
    """Put files through the pipeline again.

    Parameters
    ----------
    target
        A key, or a prefix that ends in / or *, without or with uploads/ in front, or an s3:// URI.
    day
        Files that were last processed on this day (UTC), such as 2026-11-20.
    status
        Only files in this state; may be given several times.
    all_versions
        Older versions of a key too, not only the latest.
    dry_run
        List the files, and change nothing.
    rate
        Maximum messages per second.
    session
        The stack.

    Returns
    -------
    int
        0 if all of them were sent, else 1; also 1 if no file matches.
    """
    if (target is None) is (day is None):
        raise UsageError(
            "give one of a KEY, a PREFIX or a --day, such as shipments/a.csv, shipments/ or --day 2026-11-20"
        )
    found = _of_target(session, target) if target else of_day(session, session.reader(), str(day))
    if not dry_run:
        session.announce_change()
    chosen = _choose(session, found, states=status, all_versions=all_versions)
    sender = _Sender(session, () if dry_run else chosen)
    limiter, done = RateLimiter(rate), list[_Done]()
    try:
        with session.console.progress() as bars:
            for selected in bars.track(chosen, description="Sending files again"):
                outcome = _judge(selected)
                if outcome == READY and not dry_run:
                    limiter.wait()
                    outcome = sender.send(selected)
                done.append(_Done(key=selected.version.key, was=_state(selected), outcome=outcome))
                if outcome == NOT_SENT:
                    break  # AWS is not well: what follows would fail too
    finally:  # interrupted or not, say how far it came
        _report(session.console, done, sender.unsent, not_reached=len(chosen) - len(done), dry_run=dry_run)
    return OK if done and all(file.outcome in {READY, SENT} for file in done) else ATTENTION


class _Done(NamedTuple):
    """What became of a file."""

    key: str
    was: str
    outcome: str


def _of_target(session: Session, target: str) -> Iterator[Selected]:
    """Read the versions of a key, or under a prefix."""
    key = key_of(session, target)
    prefix = key.removesuffix("*")
    if not prefix.startswith(session.uploads_prefix):
        uploads = session.uploads_prefix
        raise UsageError(f"{key!r} is not an upload: give a key or prefix under {uploads}, such as {uploads}shipments/")
    return of_prefix(session, session.reader(), prefix, exact=not key.endswith(("/", "*")))


def _choose(
    session: Session, found: Iterable[Selected], *, states: Collection[str], all_versions: bool
) -> list[Selected]:
    """Find the files, all of them before the first is sent: sending moves them in the index that is read."""
    chosen: dict[tuple[str, str], Selected] = {}
    with session.console.progress() as bars:
        for selected in bars.track(found, total=None, description="Finding files"):
            wanted = (all_versions or selected.is_latest) and (not states or _state(selected) in states)
            if wanted or _is_reopened(selected):
                chosen[_identity(selected)] = selected
    return list(chosen.values())


def _state(selected: Selected) -> str:
    return selected.file.status if selected.file else NEVER_SEEN


def _is_reopened(selected: Selected) -> bool:
    return selected.file is not None and selected.file.is_reopened


def _judge(selected: Selected) -> str:
    """Say what becomes of a file: to be sent, or why not."""
    if not selected.is_there:
        # Sent, it would become SKIPPED, and what the catalog knows of it would be lost.
        return GONE
    expiry = selected.file.claim_expires_at if selected.file else None
    if selected.file and selected.file.status is Status.PROCESSING and (expiry or 0) >= datetime.now(UTC).timestamp():
        return AT_WORK
    return READY


class _Sender:
    """Reopens files and sends their events, and knows which events are owed.

    Parameters
    ----------
    session
        The stack.
    chosen
        The files; some may have been reopened before.
    """

    def __init__(self, session: Session, chosen: Iterable[Selected]) -> None:
        self._session = session
        self._caller = session.caller()
        self._owed = {
            _identity(selected): selected.version.key
            for selected in chosen
            if _is_reopened(selected) and _judge(selected) == READY
        }

    @property
    def unsent(self) -> list[str]:
        """Keys of the files that were reopened and whose event was not sent."""
        return list(self._owed.values())

    def send(self, selected: Selected) -> str:
        """Put a file through again; returns what became of it."""
        try:
            return self._send(selected)
        except (ClientError, BotoCoreError) as error:
            self._session.console.error(f"{selected.version.key}: {error}")
            return NOT_SENT

    def _send(self, selected: Selected) -> str:
        file, identity = selected.file, _identity(selected)
        if file and file.status.is_final:
            # Noted first: interrupted within the call, nobody knows whether it was reopened.
            self._owed[identity] = selected.version.key
            free = self._session.files.reopen(
                selected.version, status=file.status, processed_at=file.processed_at, by=self._caller
            )
            if not free:
                del self._owed[identity]
                return CHANGED
        event = created_event(selected.version, self._session.region, sender=REPROCESS)
        self._session.sqs.send_message(QueueUrl=self._session.outputs.queue_url, MessageBody=event)
        self._owed.pop(identity, None)
        return SENT


def _identity(selected: Selected) -> tuple[str, str]:
    return selected.version.object_id, selected.version.version_id


def _report(console: Console, done: Sequence[_Done], unsent: Sequence[str], *, not_reached: int, dry_run: bool) -> None:
    counts = Counter(file.outcome for file in done)
    console.result(
        {
            "dryRun": dry_run,
            "files": [file._asdict() for file in done],
            "counts": counts,
            "reopenedNotSent": unsent,
            "notReached": not_reached,
        }
    )
    console.table("Files", _Done._fields, done[:_SHOWN])
    if len(done) > _SHOWN:
        console.say(f"… and {len(done) - _SHOWN} more; --json lists all.")
    for key in unsent:
        console.say(f"reopened, but its event was not sent: {key}")
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no file matches"
    console.say(f"Dry run: {summary}." if dry_run else f"{summary}.")
    if not_reached:
        console.say(f"{not_reached} not reached: unchanged.")
    if unsent:
        console.say(f"{len(unsent)} reopened and not sent: run the same command again to send them.")
