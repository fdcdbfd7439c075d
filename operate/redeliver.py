"""``redeliver``: sends the delivery's dead letters again, through the delivery function.

The function signs and sends: nobody else reads the secret. A letter is deleted when it was taken and not before, so
nothing is lost wherever this is interrupted; what was taken just before may then be sent twice, under the same id.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from operate.command import Command
from operate.dead_letters import DeadLetters, Letter, depth, hidden_letters
from operate.screen import Screen

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_lambda import LambdaClient

    from operate.stack_outputs import StackOutputs

PAGE_LETTERS: Final = 500
"""Letters that are put in order and sent together."""

INVOCATION_LETTERS: Final = 10
HIDDEN_SECONDS: Final = 1200
"""How long letters are hidden from others, from each invocation on: longer than a function may take."""

# Longer than the longest function: asked again for want of an answer, it would send everything twice.
_INVOKE = Config(read_timeout=960, retries={"total_max_attempts": 1})
_GONE: Final = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})
_PASSING: Final = frozenset({"failed", "later"})
"""Outcomes after which the others are not tried: they would fare the same."""

_NO_DELIVERY: Final = "it delivers nothing; deliveryEndpoint is not set"


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """What a dead letter of the delivery holds.

    Parameters
    ----------
    letter
        The dead letter.
    content
        Its body, as JSON.
    """

    letter: Letter
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
    """How it ended: sent or skipped, which ends it; refused, failed or later, which leaves it in the queue."""

    what: Undelivered
    outcome: str
    reason: str

    @property
    def done(self) -> bool:
        """Whether its letter has served."""
        return self.outcome in {"sent", "skipped"}


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """Send every dead letter again, oldest first, or say what there is.

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
    queue = DeadLetters(sqs, url, complain=screen.complain, hidden_seconds=HIDDEN_SECONDS)
    function = _Function(boto3.client("lambda", config=_INVOKE), name, queue.hide)
    endings: list[Ending] = []
    hidden = 0
    try:
        with screen.progress() as bars, queue as dead:
            bar = bars.add_task("Reading dead letters" if options.dry_run else "Sending", total=sum(depth(sqs, url)))
            for page in _pages(dead.take()):
                for ending in map(_found, page) if options.dry_run else _send(page, function):
                    if ending.done:
                        dead.delete(ending.what.letter)
                    endings.append(ending)
                    bars.advance(bar)
                if any(ending.outcome in _PASSING for ending in endings):
                    break
        hidden = depth(sqs, url)[1]
    finally:  # interrupted or not, say how far it came
        _report(screen, endings, hidden)
    return 0 if all(ending.done for ending in endings) and not hidden else 1


def _pages(letters: Iterator[Letter]) -> Iterator[list[Undelivered]]:
    """Put letters in order, page by page; all that is taken is held until it is deleted or released."""
    while taken := list(islice(letters, PAGE_LETTERS)):
        page = [Undelivered(letter=letter, content=_parse(letter.body)) for letter in taken]
        yield sorted(page, key=lambda what: what.changed_at)


def _found(what: Undelivered) -> Ending:
    return Ending(what=what, outcome="found", reason=str(what.content.get("reason", "")))


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


def _send(page: Sequence[Undelivered], function: _Function) -> Iterator[Ending]:
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
        batch = list(islice(takewhile(lambda what: not what.is_place, waiting), INVOCATION_LETTERS))
        outcomes = function.send([what.content for what in batch])
        progress = False
        for what, (outcome, reason) in zip(batch, outcomes, strict=True):
            if outcome == "later":
                continue
            progress = True
            waiting.remove(what)
            yield Ending(what=what, outcome=outcome, reason=reason)
        if not progress or any(outcome == "failed" for outcome, _ in outcomes):
            break
    for what in waiting:
        yield Ending(what=what, outcome="later", reason="not tried")


def _send_records(what: Undelivered, function: _Function) -> Ending:
    """Send what lies at a place in the stream, as long as the stream still has it."""
    client = boto3.client("dynamodbstreams")
    place = what.content["DDBStreamBatchInfo"]
    try:
        records = _read_stream(client, place) if isinstance(place, dict) else []
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _GONE:
            raise
        reason = "the stream keeps its data for a day, and it is over: look the files up in the catalog"
        return Ending(what=what, outcome="refused", reason=reason)
    waiting: list[Mapping[str, object]] = [{"record": record} for record in records]
    while waiting:
        outcomes = function.send(waiting[:INVOCATION_LETTERS])
        done = next((n for n, (outcome, _) in enumerate(outcomes) if outcome not in {"sent", "skipped"}), len(outcomes))
        waiting = waiting[done:]
        if done < len(outcomes) and (outcomes[done][0] != "later" or not done):
            outcome, reason = outcomes[done]
            return Ending(what=what, outcome=outcome, reason=reason)
    return Ending(what=what, outcome="sent", reason="")


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


def _report(screen: Screen, endings: Sequence[Ending], hidden: int) -> None:
    listed = [{"letter": e.what.name, "outcome": e.outcome, "reason": e.reason} for e in endings]
    screen.result({"letters": listed, "inFlight": hidden})
    left = [(e.what.name, e.outcome, e.reason) for e in endings if not e.done]
    screen.table("Left where they are", ("letter", "outcome", "reason"), left)
    counts = Counter(ending.outcome for ending in endings)
    screen.say(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no dead letters")
    if hidden:
        screen.say(hidden_letters(hidden, HIDDEN_SECONDS))


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="list the dead letters, and leave them")


COMMAND: Final = Command(
    name="redeliver", summary="send the delivery's dead letters again", configure=_configure, run=run
)
