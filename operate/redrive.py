"""``redrive``: sends dead letters of the intake back to the intake queue.

A letter is sent first and deleted then: wherever this is interrupted, nothing is lost, and a letter that is sent twice
is processed once, since its file is claimed.

SQS's own redrive (StartMessageMoveTask) takes all letters or none. Those that the function refused as malformed would
be refused again, and come back here as new ones while the task runs: so letters are sent one by one, and the refused
ones stay, unless they are asked for, and then each is sent once. For a large backlog without refused letters, ``--sqs``
has SQS do it: it is faster, and goes on if this is interrupted.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Annotated, Final

from botocore.exceptions import ClientError
from cyclopts import Parameter

from operate.command import ATTENTION, OK, if_interrupted
from operate.console import Console
from operate.dead_letters import HIDDEN_SECONDS, DeadLetters, depth, hidden_letters
from operate.rate import DEFAULT_RATE, Rate, RateLimiter
from operate.session import CurrentSession, Session

_NO_TASKS: Final = frozenset(
    {"InvalidAction", "UnknownOperationException", "AWS.SimpleQueueService.UnsupportedOperation"}
)
"""What SQS answers where it does not know the task, by its older and newer protocol."""

_POLL_SECONDS: Final = 2.0


@if_interrupted("nothing is lost, run it again to go on; what SQS moves by --sqs it goes on to move")
def redrive(
    *,
    dry_run: bool = False,
    malformed: Annotated[bool, Parameter(name="--all")] = False,
    by_sqs: Annotated[bool, Parameter(name="--sqs")] = False,
    rate: Rate = DEFAULT_RATE,
    session: CurrentSession,
) -> int:
    """Send the intake's dead letters again.

    Parameters
    ----------
    dry_run
        Say what is there, and send nothing.
    malformed
        Send malformed letters too, once each: after the function learned them.
    by_sqs
        Have SQS move all letters, where it can; not if some are malformed.
    rate
        Messages a second at most.
    session
        The stack.

    Returns
    -------
    int
        0 if no letter is left, else 1; 1 too if some are in flight, which nobody can see.
    """
    letters = sum(depth(session.sqs, session.outputs.dead_letter_queue_url))
    if dry_run:
        return _list(session, letters)
    if by_sqs:
        if task := _start_task(session, rate):
            return _follow_task(session, task)
        session.console.error("SQS has no such task here: letters are sent one by one")
    return _move(session, letters, RateLimiter(rate), malformed=malformed)


def _list(session: Session, expected: int) -> int:
    reasons, console = Counter[str](), session.console
    with console.progress() as bars, _dead_letters(session) as dead:
        for letter in bars.track(dead.take(), total=expected, description="Reading dead letters"):
            reasons[letter.reason] += 1
    hidden = depth(session.sqs, session.outputs.dead_letter_queue_url)[1]
    console.result({"dryRun": True, "letters": reasons.total(), "reasons": reasons, "inFlight": hidden})
    console.table("Dead letters", ("letters", "reason"), [(count, why) for why, count in reasons.most_common()])
    console.say(f"{reasons.total()} dead letters, nothing sent.")
    _say_hidden(console, hidden)
    return ATTENTION if reasons or hidden else OK


def _move(session: Session, expected: int, limiter: RateLimiter, *, malformed: bool) -> int:
    sqs, outputs, sent, kept, count, hidden = session.sqs, session.outputs, set[str](), Counter[str](), 0, 0
    complete = False
    try:
        with session.console.progress() as bars, _dead_letters(session) as dead:
            for letter in bars.track(dead.take(), total=expected, description="Sending dead letters again"):
                # What is malformed comes back as a new letter: once is enough.
                if letter.refusal and (not malformed or letter.digest in sent):
                    kept[letter.reason] += 1
                    continue
                limiter.wait()
                sqs.send_message(QueueUrl=outputs.queue_url, MessageBody=letter.body)
                dead.delete(letter)
                sent.add(letter.digest)
                count += 1
            complete = True
        hidden = depth(sqs, outputs.dead_letter_queue_url)[1]
    finally:  # interrupted or not, say how far it came
        # SQS counts approximately: after a whole round, nothing is left that could be taken.
        not_reached = 0 if complete else max(0, expected - count - kept.total())
        _report(session.console, count, kept, hidden=hidden, not_reached=not_reached)
    return ATTENTION if kept or hidden else OK


def _dead_letters(session: Session) -> DeadLetters:
    return DeadLetters(session.sqs, session.outputs.dead_letter_queue_url, complain=session.console.error)


def _report(console: Console, sent: int, kept: Counter[str], *, hidden: int, not_reached: int) -> None:
    counts = {"sent": sent, "kept": kept.total(), "inFlight": hidden, "notReached": not_reached}
    console.result({"dryRun": False, **counts, "reasons": kept})
    console.table("Left where they are: malformed", ("letters", "reason"), [(n, why) for why, n in kept.most_common()])
    console.say(f"{sent} dead letters sent again, {kept.total()} left.")
    if not_reached:
        console.say(f"Not reached, and in the queue as before: about {not_reached}.")
    _say_hidden(console, hidden)


def _say_hidden(console: Console, hidden: int) -> None:
    if hidden:
        console.say(hidden_letters(hidden, HIDDEN_SECONDS))


def _start_task(session: Session, rate: float) -> str | None:
    """Have SQS move all letters, or go on; returns the ARN of their queue, or None where it has no such task."""
    sqs, url = session.sqs, session.outputs.dead_letter_queue_url
    source = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        sqs.start_message_move_task(
            SourceArn=source,
            # Refused letters were not moved here by SQS: without it they would have nowhere to go.
            DestinationArn=session.outputs.queue_arn,
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


def _follow_task(session: Session, source: str) -> int:
    sqs, console = session.sqs, session.console
    with console.progress() as bars:
        bar = bars.add_task("SQS moves all dead letters", total=None)
        while True:
            task = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            bars.update(bar, completed=moved, total=task.get("ApproximateNumberOfMessagesToMove"))
            if task.get("Status") != "RUNNING":
                break
            time.sleep(_POLL_SECONDS)
    left = sum(depth(sqs, session.outputs.dead_letter_queue_url))
    done = task.get("Status") == "COMPLETED"
    console.result({"dryRun": False, "task": task.get("Status"), "sent": moved, "kept": left})
    console.say(f"{moved} dead letters sent again by SQS, {left} there now.")
    if not done:
        console.error(f"the task is {task.get('Status')}: {task.get('FailureReason', 'no reason given')}")
    return OK if done and not left else ATTENTION
