"""From an upload to its catalog item: plain Python that knows no event format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from shared.catalog.model import Claim, ObjectFacts, ObjectVersion, Outcome, Status, Worker
from shared.objects import NO_VERSION, ObjectGoneError, Objects, ObjectUnreadableError
from shared.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from shared.catalog.writer import CatalogWriter
    from shared.rules import IntakeRules

_Written = TypeVar("_Written")


@dataclass(frozen=True, kw_only=True)
class ContentWork:
    """The work on an object's content.

    Parameters
    ----------
    time
        How long it may take.
    run
        Does it, given when the invocation ends, and says how the work did: COMPLETED or REJECTED.
    """

    time: timedelta
    run: Callable[[datetime], Outcome]


class OutOfTimeError(Exception):
    """Too little of the invocation is left: the message stays in the queue for the next one."""


class HeldElsewhereError(Exception):
    """Another worker is at the file: its message stays in the queue until that worker is done or dead."""


class ClaimLostError(Exception):
    """The claim lapsed while we worked, and another worker took over. Its message is not ours to delete."""


class FileProcessor:
    """Brings uploads to their final status.

    Parameters
    ----------
    catalog, objects
        The table and the bucket.
    rules
        Which objects are accepted.
    work_for
        The content work that an object needs, or None for a file that is only cataloged.
    is_check
        Whether a key is that of a check's file. One that is gone was given up, and gets no item.
    """

    def __init__(
        self,
        catalog: CatalogWriter,
        objects: Objects,
        rules: IntakeRules,
        work_for: Callable[[ObjectVersion, ObjectFacts], ContentWork | None] = lambda _version, _facts: None,
        is_check: Callable[[str], bool] = lambda _key: False,
    ) -> None:
        self._catalog = catalog
        self._objects = objects
        self._rules = rules
        self._work_for = work_for
        self._is_check = is_check

    def process(self, version: ObjectVersion, worker: Worker) -> Outcome | None:
        """Bring one object version to its final status.

        Returns
        -------
        Outcome or None
            What the catalog says now; None if it was already processed, since the event came twice, or if it is a
            check's file that is gone.

        Raises
        ------
        HeldElsewhereError, ClaimLostError
            If another worker is at it.
        OutOfTimeError
            If the work may take longer than the invocation still has.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
            If AWS fails in a way that can pass; the file is FAILED, as far as that could be written.
        """
        reason = self._rules.check_key(version.key)
        facts, exists = ObjectFacts(), True
        if self._rules.is_upload(version.key):  # nothing else may be read
            try:
                facts = self._objects.facts(version)
            except ObjectGoneError as error:
                if self._is_check(version.key):
                    return None
                reason, exists = reason or str(error), False
            except (ClientError, BotoCoreError) as error:
                noted = self._note(error, version, lambda failed: self._catalog.record(version, facts, failed, worker))
                if noted is Claim.FINISHED:
                    return None
                raise
        # S3's own word counts: an event may lack either.
        version = replace(
            version,
            version_id=facts.version_id or version.version_id or NO_VERSION,
            etag=facts.etag or version.etag,
        )
        size = facts.size if facts.size is not None else version.size
        reason = reason or self._rules.check_size(size or 0)
        if reason:
            return self._record(version, facts, Outcome(status=Status.SKIPPED, reason=reason), worker, exists=exists)
        work = self._work_for(version, facts)
        if work is None:
            return self._record(version, facts, Outcome(status=Status.COMPLETED), worker)
        if worker.started_at + work.time > worker.deadline:
            raise OutOfTimeError(f"{version.object_id} may take {work.time}")
        return self._work(version, facts, work, worker)

    def _record(
        self, version: ObjectVersion, facts: ObjectFacts, outcome: Outcome, worker: Worker, *, exists: bool = True
    ) -> Outcome | None:
        claim = self._catalog.record(version, facts, outcome, worker, exists=exists)
        return outcome if _is_taken(claim, version) else None

    def _work(self, version: ObjectVersion, facts: ObjectFacts, work: ContentWork, worker: Worker) -> Outcome | None:
        if not _is_taken(self._catalog.claim(version, facts, worker), version):
            return None
        try:
            outcome = work.run(worker.deadline)
        except ObjectUnreadableError as error:
            if isinstance(error, ObjectGoneError):
                self._catalog.withdraw(version)
            outcome = Outcome(status=Status.SKIPPED, reason=str(error))
        except Exception as error:
            self._note(error, version, lambda failed: self._catalog.finish(version, failed, worker))
            raise
        if not self._catalog.finish(version, outcome, worker):
            raise ClaimLostError(version.object_id)
        return outcome

    @staticmethod
    def _note(error: Exception, version: ObjectVersion, write: Callable[[Outcome], _Written]) -> _Written | None:
        """Write down why the file failed, if the catalog can be reached: the message is retried in any case."""
        try:
            return write(Outcome(status=Status.FAILED, reason=f"{type(error).__name__}: {error}"))
        except (ClientError, BotoCoreError):
            logger.warning("catalog cannot be written", exc_info=True, object_id=version.object_id)
            return None


def _is_taken(claim: Claim, version: ObjectVersion) -> bool:
    if claim is Claim.HELD:
        raise HeldElsewhereError(version.object_id)
    return claim is Claim.TAKEN
