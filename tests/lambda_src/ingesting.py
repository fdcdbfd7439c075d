"""The ingest function's logic on moto."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeAlias

from ingest.events import parse_uploads
from ingest.processor import ContentWork, FileProcessor
from shared.catalog.model import ObjectFacts, ObjectVersion, Outcome, Status
from shared.objects import Objects
from shared.rules import IntakeRules
from shared.settings import read_settings
from tests.declared_stack import DeclaredStack
from tests.lambda_src.catalogs import Clock, make_catalog
from tests.lambda_src.conftest import BUCKET, Aws, declared_environment, message

KEY = "uploads/a.csv"
COMPLETED = Outcome(status=Status.COMPLETED)


Work: TypeAlias = Callable[[ObjectVersion, ObjectFacts], Outcome]


class WorkerKilledError(BaseException):
    """The worker dies: no handler of ours sees this coming."""


class Make(Protocol):
    """Makes the logic, with content work or without."""

    def __call__(self, work: Work | None = None) -> FileProcessor: ...


def ingest_maker(aws: Aws, dev: DeclaredStack, clock: Clock) -> Make:
    rules = read_settings(IntakeRules, declared_environment(dev))

    def make(work: Work | None = None) -> FileProcessor:
        def work_for(version: ObjectVersion, facts: ObjectFacts) -> ContentWork | None:
            return ContentWork(time=timedelta(seconds=30), run=lambda _end: work(version, facts)) if work else None

        return FileProcessor(make_catalog(aws, clock), Objects(aws.s3), rules, work_for)

    return make


def uploaded(aws: Aws, key: str = KEY, body: bytes = b"content", **options: str) -> ObjectVersion:
    """Put an object and read its event as the function does."""
    (version,), _ = parse_uploads(str(message(aws.put(key, body, **options))["body"]), BUCKET)
    return version
