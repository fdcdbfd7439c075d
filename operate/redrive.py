"""``redrive``: sends dead-letter messages back to the queue that they come from, of the intake and of the delivery.

A message is sent first and deleted then: wherever this is interrupted, nothing is lost. One that is sent twice is
processed once, since its file is claimed, and delivered under the same id.

SQS's own redrive (StartMessageMoveTask) takes all messages or none. Those that are malformed would come back here as
new ones while the task runs: so messages are sent one by one, and the malformed ones stay, unless they are asked for,
and then each is sent once. Of a record of the catalog's stream, which the forwarding function could not read, the
message is made here; while none can be made, the record stays.

For a large backlog without malformed messages, ``--sqs`` has SQS do it: it is faster, and goes on if this is
interrupted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from botocore.exceptions import ClientError
from cyclopts import Parameter

from operate.command import ATTENTION, OK, if_interrupted
from operate.dead_letters import HIDDEN_SECONDS, DeadLetterMessage, DeadLetters, depth, in_flight_note
from operate.rate import DEFAULT_RATE, Rate, RateLimiter
from operate.session import CurrentSession, Session
from operate.stack_outputs import StackOutputs

QueueName: TypeAlias = Literal["intake", "delivery"]

_NO_TASKS: Final = frozenset(
    {"InvalidAction", "UnknownOperationException", "AWS.SimpleQueueService.UnsupportedOperation"}
)
"""What SQS answers where it does not know the task, by its older and newer protocol."""

_POLL_SECONDS: Final = 2.0
_BEHIND: Final = "not seen: behind others of the same file"


@dataclass(frozen=True, kw_only=True)
class _Queue:
    """A dead-letter queue, and the queue that its messages come from."""

    name: QueueName
    dead_letter_url: str
    url: str
    arn: str


@dataclass(kw_only=True)
class _Redriven:
    """What became of one queue's messages. Counted message by message, so that an interrupted run is reported too."""

    sent: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    not_reached: int = 0
    malformed: int = 0
    """How many of those that were kept are malformed."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left in the dead-letter queue."""
        return not (self.kept or self.in_flight or self.not_reached)

    def as_result(self) -> dict[str, object]:
        return {
            "sent": self.sent,
            "kept": self.kept.total(),
            "inFlight": self.in_flight,
            "notReached": self.not_reached,
            "reasons": self.kept,
        }


@if_interrupted("nothing is lost, run it again to go on; what SQS moves by --sqs it goes on to move")
def redrive(
    *,
    queue: QueueName | None = None,
    dry_run: bool = False,
    malformed: Annotated[bool, Parameter(name="--all")] = False,
    by_sqs: Annotated[bool, Parameter(name="--sqs")] = False,
    rate: Rate = DEFAULT_RATE,
    session: CurrentSession,
) -> int:
    """Send dead-letter messages again, of the intake and of the delivery.

    Parameters
    ----------
    queue
        Only those of this queue; default: both.
    dry_run
        List the messages and their reasons, and send nothing.
    malformed
        Send malformed messages too, once each: after a fix that lets the functions read them. What this version cannot
        read either stays.
    by_sqs
        Have SQS itself move all messages, which is faster; not if some are malformed.
    rate
        Maximum messages per second.
    session
        The stack.

    Returns
    -------
    int
        0 if no dead-letter message is left, else 1; also 1 if some are in flight, so that they cannot be read.

    Raises
    ------
    operate.stack_outputs.OutputsError
        If the stack does not have the queue.
    """
    queues = _queues(session.outputs, queue)
    if not dry_run:
        session.announce_change()
    results: dict[str, _Redriven] = {}
    try:
        for one in queues:
            done = results[one.name] = _Redriven()
            if dry_run:
                _list(session, one, done, malformed=malformed)
            elif not (by_sqs and _move_by_sqs(session, one, rate, done)):
                _move(session, one, RateLimiter(rate), done, malformed=malformed)
    finally:  # interrupted or not, say how far it came
        session.console.result(
            {"dryRun": dry_run, "queues": {name: done.as_result() for name, done in results.items()}}
        )
    return OK if all(done.is_empty for done in results.values()) else ATTENTION


def _queues(outputs: StackOutputs, name: QueueName | None) -> Sequence[_Queue]:
    queues = []
    if name != "delivery":
        queues.append(
            _Queue(
                name="intake",
                dead_letter_url=outputs.dead_letter_queue_url,
                url=outputs.queue_url,
                arn=outputs.queue_arn,
            )
        )
    if name == "delivery" or (name is None and outputs.delivery_dead_letter_queue_url):
        none = "it delivers nothing; deliveryEndpoint is not set"
        queues.append(
            _Queue(
                name="delivery",
                dead_letter_url=outputs.get("deliveryDeadLetterQueueUrl", none),
                url=outputs.get("deliveryQueueUrl", none),
                arn=outputs.get("deliveryQueueArn", none),
            )
        )
    return queues


def _list(session: Session, queue: _Queue, done: _Redriven, *, malformed: bool) -> None:
    console, expected = session.console, sum(depth(session.sqs, queue.dead_letter_url))
    with console.progress() as bars, _dead_letters(session, queue) as dead:
        for message in bars.track(dead.take(), total=expected, description="Reading dead-letter messages"):
            done.kept[message.reason] += 1
            done.malformed += message.malformed and not (malformed and message.sendable())
        # A FIFO queue gives nothing of a file of which it has given something.
        behind = depth(session.sqs, queue.dead_letter_url)[0]
    if behind:
        done.kept[_BEHIND] += behind
    done.in_flight = depth(session.sqs, queue.dead_letter_url)[1]
    rows = [(count, why) for why, count in done.kept.most_common()]
    console.table(f"Dead-letter messages of the {queue.name}", ("messages", "reason"), rows)
    console.say(f"{queue.name}: {done.kept.total()} dead-letter messages, nothing sent.")
    _say_malformed(session, done.malformed, asked_for=malformed)
    _say_hidden(session, done.in_flight)


def _move(session: Session, queue: _Queue, limiter: RateLimiter, done: _Redriven, *, malformed: bool) -> None:
    expected = done.not_reached = sum(depth(session.sqs, queue.dead_letter_url))
    digests = set[str]()
    try:
        with session.console.progress() as bars, _dead_letters(session, queue) as dead:
            for message in bars.track(dead.take(), total=expected, description="Sending dead-letter messages again"):
                # What a function dead-letters again comes back as a new message at once: once is enough.
                held_back = (message.malformed and not malformed) or (
                    message.function_reason and message.digest in digests
                )
                sendable = None if held_back else message.sendable()
                if sendable is None:
                    done.kept[message.reason] += 1
                    done.malformed += message.malformed
                else:
                    limiter.wait()
                    _send(session, queue, sendable)
                    dead.delete(message)
                    digests.add(message.digest)
                    done.sent += 1
                done.not_reached = max(0, expected - done.sent - done.kept.total())
            # SQS counts approximately: once all were received, nothing is left.
            done.not_reached = 0
        visible, done.in_flight = depth(session.sqs, queue.dead_letter_url)
        if queue.url.endswith(".fifo"):  # one that stays hides those of its file that are behind it
            done.not_reached = max(0, visible - done.kept.total())
    finally:
        _say(session, queue, done, malformed=malformed)


def _send(session: Session, queue: _Queue, message: DeadLetterMessage) -> None:
    if message.group:
        session.sqs.send_message(
            QueueUrl=queue.url,
            MessageBody=message.body,
            MessageGroupId=message.group,
            # Not its first one, under which it was queued; and the same if this is interrupted and run again.
            MessageDeduplicationId=message.id,
        )
    else:
        session.sqs.send_message(QueueUrl=queue.url, MessageBody=message.body)


def _dead_letters(session: Session, queue: _Queue) -> DeadLetters:
    return DeadLetters(session.sqs, queue.dead_letter_url, complain=session.console.error)


def _say(session: Session, queue: _Queue, done: _Redriven, *, malformed: bool) -> None:
    console, rows = session.console, [(count, why) for why, count in done.kept.most_common()]
    console.table(f"Left in the dead-letter queue of the {queue.name}", ("messages", "reason"), rows)
    console.say(f"{queue.name}: {done.sent} dead-letter messages sent again, {done.kept.total()} left.")
    _say_malformed(session, done.malformed, asked_for=malformed)
    if done.not_reached:
        console.say(f"About {done.not_reached} not reached: still in the dead-letter queue.")
    _say_hidden(session, done.in_flight)


def _say_malformed(session: Session, count: int, *, asked_for: bool) -> None:
    if count:
        way_out = (
            "This version cannot read them: look at them and delete them, or run it again with a fix."
            if asked_for
            else "Look at them and delete them, or send them with --all after a fix."
        )
        session.console.say(f"Malformed messages stay: {count}. {way_out}")


def _say_hidden(session: Session, hidden: int) -> None:
    if hidden:
        session.console.say(in_flight_note(hidden, HIDDEN_SECONDS))


def _move_by_sqs(session: Session, queue: _Queue, rate: float, done: _Redriven) -> bool:
    """Have SQS move all messages; false where it has no such task."""
    if task := _start_task(session, queue, rate):
        _follow_task(session, queue, task, done)
        return True
    session.console.error("SQS has no message move task here: the messages are sent one by one")
    return False


def _start_task(session: Session, queue: _Queue, rate: float) -> str | None:
    """Have SQS move all messages, or go on; returns the ARN of their queue, or None where it has no such task."""
    sqs, url = session.sqs, queue.dead_letter_url
    source = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        sqs.start_message_move_task(
            SourceArn=source,
            # What the functions dead-letter was not moved here by SQS: without it, it would have nowhere to go.
            DestinationArn=queue.arn,
            MaxNumberOfMessagesPerSecond=max(1, round(rate)),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NO_TASKS:
            return None
        # One task at a time: that of a run that was interrupted is followed instead.
        tasks = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"]
        if not any(task.get("Status") == "RUNNING" for task in tasks):
            raise
    return source


def _follow_task(session: Session, queue: _Queue, source: str, done: _Redriven) -> None:
    sqs, console = session.sqs, session.console
    with console.progress() as bars:
        bar = bars.add_task("SQS moves all dead-letter messages", total=None)
        while True:
            task = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
            done.sent = task.get("ApproximateNumberOfMessagesMoved", 0)
            bars.update(bar, completed=done.sent, total=task.get("ApproximateNumberOfMessagesToMove"))
            if task.get("Status") != "RUNNING":
                break
            time.sleep(_POLL_SECONDS)
    done.not_reached = sum(depth(sqs, queue.dead_letter_url))
    console.say(f"{queue.name}: {done.sent} dead-letter messages sent again by SQS, {done.not_reached} there now.")
    if task.get("Status") != "COMPLETED":
        reason = f"the task is {task.get('Status')}: {task.get('FailureReason', 'no reason given')}"
        done.kept[reason] += 1
        console.error(reason)
