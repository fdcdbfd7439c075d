"""Finds uploads that the catalog does not know, and sends the event that never came: plain Python, no event format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconcile.intake import SENDER
from reconcile.listing import pages
from shared.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

    from reconcile.intake import IntakeQueue
    from reconcile.listing import Page
    from shared.catalog.model import ObjectVersion
    from shared.catalog.reader import CatalogReader
    from shared.catalog.search_state import SearchState, SearchStates
    from shared.catalog.writer import CatalogWriter


@dataclass(frozen=True, kw_only=True)
class SearchRules:
    """What is searched, and when.

    Parameters
    ----------
    bucket, prefix
        Where uploads are.
    interval
        Time from the start of one search to the start of the next.
    delay
        How much older than the intake's oldest message an upload must be: its event may still be on its way.
    overlap
        How much of what was searched before is searched again. S3 dates an upload in parts by its start, so this is
        longer than such an upload may take.
    time_reserve
        What an invocation keeps for itself: another page is not begun in it.
    """

    bucket: str
    prefix: str
    interval: timedelta
    delay: timedelta
    overlap: timedelta
    time_reserve: timedelta


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What an invocation did.

    Parameters
    ----------
    listed
        Versions that S3 listed.
    missed
        Uploads that the catalog did not know, whose event was sent.
    whole
        Whether the search has come to its end.
    """

    listed: int = 0
    missed: int = 0
    whole: bool = False


class UploadSearch:
    """Searches the bucket, as far as one invocation comes.

    Parameters
    ----------
    client
        The S3 client to list with.
    writer, reader, queue
        The catalog, and the intake queue.
    rules
        What is searched, and when.
    now
        Tells the time.
    """

    def __init__(
        self,
        client: S3Client,
        writer: CatalogWriter,
        reader: CatalogReader,
        queue: IntakeQueue,
        rules: SearchRules,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._writer = writer
        self._reader = reader
        self._queue = queue
        self._rules = rules
        self._now = now

    def run(self, states: SearchStates, *, deadline: datetime, at_once: bool) -> Progress | None:
        """Go on with the search that is under way, or begin one if it is time.

        Parameters
        ----------
        states
            How far it has come.
        deadline
            When the invocation ends.
        at_once
            Whether to begin one before its time.

        Returns
        -------
        Progress or None
            What was done; None if it is not time, another invocation is at it, or the age of the intake's oldest
            message is not known.

        Raises
        ------
        NotSentError, SearchTakenError
            If an event was not taken, or another invocation has taken over. What was done is noted.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If AWS fails. The next invocation goes on where this one stopped.
        """
        state = states.take(now=self._now(), until=deadline)
        if state is None:
            logger.info("another search is under way")
            return None
        if state.until is None:
            begun = self._begin(state, at_once=at_once)
            states.save(begun or state, done=begun is None)
            if begun is None:
                return None
            state = begun
        return self._search(state, states, deadline)

    def _begin(self, state: SearchState, *, at_once: bool) -> SearchState | None:
        """Return the state of a new search; None if there is to be none now."""
        now = self._now()
        if not at_once and now - state.started_at < self._rules.interval:
            return None
        age = self._queue.oldest_age(now)
        if age is None:
            logger.warning("no search: messages wait in the intake queue, and CloudWatch does not say for how long")
            return None
        return replace(state, started_at=now, until=now - age - self._rules.delay, key="", version_id="")

    def _search(self, state: SearchState, states: SearchStates, deadline: datetime) -> Progress:
        done = Progress()
        rules = self._rules
        for page in pages(self._client, rules.bucket, rules.prefix, key=state.key, version_id=state.version_id):
            missed = self._send_missing(page, state)
            done = replace(done, listed=done.listed + len(page.versions), missed=done.missed + missed)
            state = replace(state, key=page.next_key, version_id=page.next_version_id)
            if not page.next_key:
                break
            late = deadline - self._now() < rules.time_reserve
            states.save(state, done=late)
            if late:
                return done
        searched = max(state.since, (state.until or state.since) - rules.overlap)
        states.save(replace(state, since=searched, until=None), done=True)
        return replace(done, whole=True)

    def _send_missing(self, page: Page, state: SearchState) -> int:
        """Send the events of a page's uploads that the catalog does not know; returns how many."""
        inside = [
            listed.version
            for listed in page.versions
            if state.since < listed.uploaded_at and (state.until is None or listed.uploaded_at <= state.until)
        ]
        known = self._reader.known(inside)
        missing = [version for version in inside if (version.object_id, version.version_id) not in known]
        self._queue.send(missing, self._note)
        return len(missing)

    def _note(self, version: ObjectVersion) -> None:
        """Note that an event was sent, after it was: what dies in between sends it again, which does no harm."""
        logger.warning("event sent that never came", extra={"key": version.key, "version_id": version.version_id})
        self._writer.note_sent(version, by=SENDER)
