"""``redeliver``: sends the delivery's dead letters again, through the delivery function.

The function signs and sends: nobody else reads the secret. A letter is deleted when it was taken and not before, so
nothing is lost wherever this is interrupted; what was taken just before may then be sent twice, under the same id.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operate.command import Command
from operate.dead_letters import STALE_RECEIVES, depth, hidden_letters

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

    from operate.stack_outputs import StackOutputs

PAGE_LETTERS: Final = 500
"""Letters that are put in order and sent together."""

INVOCATION_LETTERS: Final = 10
HIDDEN_SECONDS: Final = 1200
"""How long letters are hidden from others, from each invocation on: longer than a function may take."""

_LONG_POLL_SECONDS: Final = 2
_MAX_MESSAGES: Final = 10  # SQS gives and takes no more at once
# Longer than the longest function: asked again for want of an answer, it would send everything twice.
_INVOKE = Config(read_timeout=960, retries={"total_max_attempts": 1})
_GONE: Final = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})
_PASSING: Final = frozenset({"failed", "later"})
"""Outcomes after which the others are not tried: they would fare the same."""

_NO_DELIVERY: Final = "it delivers nothing; deliveryEndpoint is not set"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message of the dead-letter queue.

    Parameters
    ----------
    id, receipt
        What it is known and deleted by.
    content
        What it holds, as JSON.
    """

    id: str
    receipt: str
    content: Mapping[str, object]

    @property
    def name(self) -> str:
        """What it is listed by."""
        return str(self.content.get("delivery_id") or ("place in the stream" if self.is_place else "record"))

    @property
    def is_place(self) -> bool:
        """Whether it is the event source's own: a place in the stream, and none of its data."""
        return "DDBStreamBatchInfo" in self.content

    @property
    def changed_at(self) -> str:
        """When the file changed, so that letters are sent in that order."""
        batch = self.content.get("DDBStreamBatchInfo")
        moment = batch.get("approximateArrivalOfFirstRecord") if isinstance(batch, dict) else None
        return str(moment or self.content.get("changed_at") or "")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a letter ended: sent or skipped, which ends it; refused, failed or later, which leaves it in the queue."""

    letter: Letter
    outcome: str
    reason: str

    @property
    def done(self) -> bool:
        """Whether the letter has served."""
        return self.outcome in {"sent", "skipped"}


def run(outputs: StackOutputs, *, dry_run: bool, as_json: bool) -> int:
    """Send every dead letter again, oldest first.

    Parameters
    ----------
    outputs
        The stack's.
    dry_run
        Whether letters are listed only.
    as_json
        Whether the result is printed as JSON.

    Returns
    -------
    int
        0 if no letter is left, else 1; 1 too if some are in flight, which nobody can see.

    Raises
    ------
    operate.stack_outputs.OutputsError
        If the stack delivers nothing.
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If AWS fails; what was not sent is in the queue.
    """
    sqs, url = boto3.client("sqs"), outputs.get("deliveryDeadLetterQueueUrl", _NO_DELIVERY)
    name = outputs.get("deliveryFunctionName", _NO_DELIVERY)
    endings: list[Ending] = []
    hidden = 0
    try:
        with _Queue(sqs, url) as queue:
            function = _Function(boto3.client("lambda", config=_INVOKE), name, queue.hide)
            for taken in queue.pages():
                page = sorted(taken, key=lambda letter: letter.changed_at)
                if dry_run:
                    endings += [_found(letter) for letter in page]
                    continue
                for ending in _send(page, function):
                    if ending.done:
                        queue.delete(ending.letter)
                    endings.append(ending)
                    _show_progress(endings)
                if any(ending.outcome in _PASSING for ending in endings):
                    break
        hidden = depth(sqs, url)[1]
    finally:  # interrupted or not, say how far it came
        _print(endings, hidden, as_json=as_json)
    return 0 if all(ending.done for ending in endings) and not hidden else 1


def _found(letter: Letter) -> Ending:
    return Ending(letter=letter, outcome="found", reason=str(letter.content.get("reason", "")))


class _Queue:
    """The dead-letter queue. As a context, it shows again what was taken and not deleted."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url
        self._held: dict[str, Letter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for entries in self._visibility(0):
            try:
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as failure:
                # The others can be shown still, and these are when their time is up.
                sys.stderr.write(f"redeliver: {len(entries)} letters stay hidden for a while: {failure}\n")

    def pages(self) -> Iterator[list[Letter]]:
        """Take letters, page by page; each is hidden until it is deleted or released."""
        page: list[Letter] = []
        stale = 0
        while stale < STALE_RECEIVES and (letters := self._receive()):
            fresh = [letter for letter in letters if letter.id not in self._held]
            self._held |= {letter.id: letter for letter in letters}
            stale = 0 if fresh else stale + 1
            page += fresh
            if len(page) >= PAGE_LETTERS:
                yield page
                page = []
        if page:
            yield page

    def delete(self, letter: Letter) -> None:
        """Delete a letter for good."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=self._held[letter.id].receipt)
        del self._held[letter.id]

    def hide(self) -> None:
        """Hide what was taken for the whole time from now on: others would send it too."""
        for entries in self._visibility(HIDDEN_SECONDS):
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def _visibility(self, seconds: int) -> Iterator[list[ChangeMessageVisibilityBatchRequestEntryTypeDef]]:
        held = list(self._held.values())
        for start in range(0, len(held), _MAX_MESSAGES):
            yield [
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": seconds}
                for number, letter in enumerate(held[start : start + _MAX_MESSAGES])
            ]

    def _receive(self) -> list[Letter]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_MAX_MESSAGES,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=_LONG_POLL_SECONDS,
        )
        return [
            Letter(id=m["MessageId"], receipt=m["ReceiptHandle"], content=_parse(m["Body"]))
            for m in answer.get("Messages", [])
        ]


class _Function:
    """The delivery function.

    Parameters
    ----------
    client, name
        The function and the client to reach it with.
    prepare
        Called before each invocation, which may take long.
    """

    def __init__(self, client: LambdaClient, name: str, prepare: Callable[[], None]) -> None:
        self._client = client
        self._name = name
        self._prepare = prepare

    def send(self, contents: Sequence[Mapping[str, object]]) -> list[tuple[str, str]]:
        """Have letters sent; returns outcome and reason of each."""
        self._prepare()
        answer = self._client.invoke(FunctionName=self._name, Payload=json.dumps({"letters": contents}))
        payload: dict[str, list[dict[str, str]]] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            return [("failed", f"the delivery function failed: {payload}")] * len(contents)
        return [(result["outcome"], result["reason"]) for result in payload["results"]]


def _send(page: Sequence[Letter], function: _Function) -> Iterator[Ending]:
    """Send letters in order. When the endpoint is not well, or time is over, the others are left for later."""
    waiting = deque(page)
    while waiting:
        if waiting[0].is_place:
            ending = _send_records(waiting.popleft(), function)
            yield ending
            if ending.outcome in _PASSING:
                break
            continue
        # What is behind a place has to wait for it.
        batch = list(islice(takewhile(lambda letter: not letter.is_place, waiting), INVOCATION_LETTERS))
        outcomes = function.send([letter.content for letter in batch])
        progress = False
        for letter, (outcome, reason) in zip(batch, outcomes, strict=True):
            if outcome == "later":
                continue
            progress = True
            waiting.remove(letter)
            yield Ending(letter=letter, outcome=outcome, reason=reason)
        if not progress or any(outcome == "failed" for outcome, _ in outcomes):
            break
    for letter in waiting:
        yield Ending(letter=letter, outcome="later", reason="not tried")


def _send_records(letter: Letter, function: _Function) -> Ending:
    """Send what lies at a place in the stream, as long as the stream still has it."""
    client = boto3.client("dynamodbstreams")
    place = letter.content["DDBStreamBatchInfo"]
    try:
        records = _read_stream(client, place) if isinstance(place, dict) else []
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _GONE:
            raise
        reason = "the stream keeps its data for a day, and it is over: look the files up in the catalog"
        return Ending(letter=letter, outcome="refused", reason=reason)
    waiting: list[Mapping[str, object]] = [{"record": record} for record in records]
    while waiting:
        outcomes = function.send(waiting[:INVOCATION_LETTERS])
        done = next((n for n, (outcome, _) in enumerate(outcomes) if outcome not in {"sent", "skipped"}), len(outcomes))
        waiting = waiting[done:]
        if done < len(outcomes) and (outcomes[done][0] != "later" or not done):
            outcome, reason = outcomes[done]
            return Ending(letter=letter, outcome=outcome, reason=reason)
    return Ending(letter=letter, outcome="sent", reason="")


def _read_stream(client: DynamoDBStreamsClient, place: Mapping[str, object]) -> list[dict[str, object]]:
    """Read the records of a place in the stream, as the function gets them."""
    last = int(str(place["endSequenceNumber"]))
    iterator: str | None = client.get_shard_iterator(
        StreamArn=str(place["streamArn"]),
        ShardId=str(place["shardId"]),
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=str(place["startSequenceNumber"]),
    )["ShardIterator"]
    found: list[dict[str, object]] = []
    while iterator:
        page = client.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > last:
                return found
            found.append(json.loads(json.dumps(record, default=_seconds)))
            if int(record["dynamodb"]["SequenceNumber"]) == last:
                return found
        iterator = page.get("NextShardIterator")
    return found


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot stand in an event")


def _parse(body: str) -> Mapping[str, object]:
    try:
        content: object = json.loads(body)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"text": body}


def _show_progress(endings: Sequence[Ending]) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r" + _summary(endings) + "\033[K")
        sys.stderr.flush()


def _summary(endings: Sequence[Ending]) -> str:
    counts = Counter(ending.outcome for ending in endings)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no dead letters"


def _print(endings: Sequence[Ending], hidden: int, *, as_json: bool) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if as_json:
        listed = [{"letter": e.letter.name, "outcome": e.outcome, "reason": e.reason} for e in endings]
        sys.stdout.write(json.dumps({"letters": listed, "inFlight": hidden}) + "\n")
        return
    for ending in endings:
        if not ending.done:
            sys.stdout.write(f"{ending.letter.name}: {ending.outcome}: {ending.reason}\n")
    sys.stdout.write(_summary(endings) + "\n")
    if hidden:
        sys.stdout.write(hidden_letters(hidden, HIDDEN_SECONDS) + "\n")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="list the dead letters, and leave them")


COMMAND: Final = Command(
    name="redeliver",
    summary="send the delivery's dead letters again",
    configure=_configure,
    run=lambda options, outputs, screen: run(outputs, dry_run=options.dry_run, as_json=screen.as_json),
)
