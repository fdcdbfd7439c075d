"""``redeliver``: sends the delivery's dead letters again, through the delivery function.

The function signs and sends: nobody else reads the secret. A letter is deleted when it was taken and not before, so
nothing is lost wherever this is interrupted; what was taken just before may then be sent twice, under the same id.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from operate.console import Console
from operate.dead_letters import DeadLetters, Letter, depth, hidden_letters
from operate.session import CurrentSession
from operate.undelivered import PlaceError, Undelivered, read_place

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


PAGE_LETTERS: Final = 500
"""Letters that are put in order and sent together."""

INVOCATION_LETTERS: Final = 10
HIDDEN_SECONDS: Final = 1200
"""How long letters are hidden from others, from each invocation on: longer than a function may take."""

# Longer than the longest function: asked again for want of an answer, it would send everything twice.
_INVOKE = Config(read_timeout=960, retries={"total_max_attempts": 1})
_PASSING: Final = frozenset({"failed", "later"})
"""Outcomes after which the others are not tried: they would fare the same."""

_NO_DELIVERY: Final = "it delivers nothing; deliveryEndpoint is not set"


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


def redeliver(*, dry_run: bool = False, session: CurrentSession) -> int:
    """Send the delivery's dead letters again, oldest first.

    Parameters
    ----------
    dry_run
        List the dead letters, and leave them.
    session
        The stack.

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
    outputs, screen = session.outputs, session.console
    sqs, url = boto3.client("sqs"), outputs.get("deliveryDeadLetterQueueUrl", _NO_DELIVERY)
    name = outputs.get("deliveryFunctionName", _NO_DELIVERY)
    queue = DeadLetters(sqs, url, complain=screen.error, hidden_seconds=HIDDEN_SECONDS)
    function = _Function(boto3.client("lambda", config=_INVOKE), name, queue.hide)
    endings: list[Ending] = []
    hidden, not_reached = 0, sum(depth(sqs, url))
    try:
        with screen.progress() as bars, queue as dead:
            bar = bars.add_task("Reading dead letters" if dry_run else "Sending", total=not_reached)
            for page in _pages(dead.take()):
                for ending in map(_found, page) if dry_run else _send(page, function):
                    if ending.done:
                        dead.delete(ending.what.letter)
                    endings.append(ending)
                    not_reached = max(0, not_reached - 1)
                    bars.advance(bar)
                if any(ending.outcome in _PASSING for ending in endings):
                    break
            else:
                not_reached = 0  # SQS's counts are approximate; this is not: none is left to be taken
        hidden = depth(sqs, url)[1]
    finally:  # interrupted or not, say how far it came
        _report(screen, endings, hidden=hidden, not_reached=not_reached)
    return 0 if all(ending.done for ending in endings) and not hidden else 1


def _pages(letters: Iterator[Letter]) -> Iterator[list[Undelivered]]:
    """Put letters in order, page by page; all that is taken is held until it is deleted or released."""
    while taken := list(islice(letters, PAGE_LETTERS)):
        yield sorted(map(Undelivered.of, taken), key=lambda what: what.changed_at)


def _found(what: Undelivered) -> Ending:
    return Ending(what=what, outcome="found", reason=what.reason)


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
    try:
        records = read_place(boto3.client("dynamodbstreams"), what)
    except PlaceError as error:
        return Ending(what=what, outcome="refused", reason=str(error))
    waiting: list[Mapping[str, object]] = [{"record": record} for record in records]
    while waiting:
        outcomes = function.send(waiting[:INVOCATION_LETTERS])
        done = next((n for n, (outcome, _) in enumerate(outcomes) if outcome not in {"sent", "skipped"}), len(outcomes))
        waiting = waiting[done:]
        if done < len(outcomes) and (outcomes[done][0] != "later" or not done):
            outcome, reason = outcomes[done]
            return Ending(what=what, outcome=outcome, reason=reason)
    return Ending(what=what, outcome="sent", reason="")


def _report(screen: Console, endings: Sequence[Ending], *, hidden: int, not_reached: int) -> None:
    listed = [{"letter": e.what.name, **e.what.file, "outcome": e.outcome, "reason": e.reason} for e in endings]
    screen.result({"letters": listed, "inFlight": hidden, "notReached": not_reached})
    left = [(e.what.name, e.what.file.get("key"), e.outcome, e.reason) for e in endings if not e.done]
    screen.table("Left where they are", ("letter", "file", "outcome", "reason"), left)
    counts = Counter(ending.outcome for ending in endings)
    if not_reached:
        counts["not reached: in the queue as before"] = not_reached
    screen.say(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no dead letters")
    if hidden:
        screen.say(hidden_letters(hidden, HIDDEN_SECONDS))
