"""``redrive``: sends dead letters of the intake back to the intake queue.

A letter is sent first and deleted then: wherever this is interrupted, nothing is lost, and a letter that is sent twice
is processed once, since its file is claimed.

SQS's own redrive (StartMessageMoveTask) takes all letters or none. Those that the function refused as malformed would
be refused again, and come back here as new ones while the task runs: so letters are sent one by one, and the refused
ones stay, unless they are asked for, and then each is sent once. For a large backlog without refused letters, ``--sqs``
has SQS do it: it is faster, and goes on if this is interrupted.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from operate.command import FAILED, WELL, Command, add_rate
from operate.dead_letters import HIDDEN_SECONDS, DeadLetters, depth, hidden_letters
from operate.pace import Pace
from operate.pipeline import Pipeline
from operate.screen import Screen
from operate.stack_outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_NO_TASKS: Final = frozenset(
    {"InvalidAction", "UnknownOperationException", "AWS.SimpleQueueService.UnsupportedOperation"}
)
"""What SQS answers where it does not know the task, by its older and newer protocol."""

_POLL_SECONDS: Final = 2.0


def run(options: argparse.Namespace, outputs: StackOutputs, screen: Screen) -> int:
    """Send dead letters again, or say what there is.

    Returns
    -------
    int
        0 if no letter is left, else 1; 1 too if some are in flight, which nobody can see.
    """
    sqs = Pipeline(outputs).sqs
    letters = sum(depth(sqs, outputs.dead_letter_queue_url))
    if options.dry_run:
        return _list(sqs, outputs, screen, letters)
    if options.sqs:
        if task := _start_task(sqs, outputs, options.rate):
            return _follow_task(sqs, outputs, screen, task)
        screen.complain("redrive: SQS has no such task here: letters are sent one by one")
    return _move(sqs, outputs, screen, options, letters)


def _list(sqs: SQSClient, outputs: StackOutputs, screen: Screen, expected: int) -> int:
    reasons: Counter[str] = Counter()
    with screen.progress() as bars, _dead_letters(sqs, outputs, screen) as dead:
        for letter in bars.track(dead.take(), total=expected, description="Reading dead letters"):
            reasons[letter.reason] += 1
    hidden = depth(sqs, outputs.dead_letter_queue_url)[1]
    screen.result({"dryRun": True, "letters": reasons.total(), "reasons": reasons, "inFlight": hidden})
    screen.table("Dead letters", ("letters", "reason"), [(count, why) for why, count in reasons.most_common()])
    screen.say(f"{reasons.total()} dead letters, nothing sent.")
    _say_hidden(screen, hidden)
    return FAILED if reasons or hidden else WELL


def _move(sqs: SQSClient, outputs: StackOutputs, screen: Screen, options: argparse.Namespace, expected: int) -> int:
    pace, sent, kept, count, hidden = Pace(options.rate), set[str](), Counter[str](), 0, 0
    complete = False
    try:
        with screen.progress() as bars, _dead_letters(sqs, outputs, screen) as dead:
            for letter in bars.track(dead.take(), total=expected, description="Sending dead letters again"):
                # What is malformed comes back as a new letter: once is enough.
                if letter.refusal and (not options.all or letter.digest in sent):
                    kept[letter.reason] += 1
                    continue
                pace.keep()
                sqs.send_message(QueueUrl=outputs.queue_url, MessageBody=letter.body)
                dead.delete(letter)
                sent.add(letter.digest)
                count += 1
            complete = True
        hidden = depth(sqs, outputs.dead_letter_queue_url)[1]
    finally:  # interrupted or not, say how far it came
        # SQS counts approximately: after a whole round, nothing is left that could be taken.
        not_reached = 0 if complete else max(0, expected - count - kept.total())
        _report(screen, count, kept, hidden=hidden, not_reached=not_reached)
    return FAILED if kept or hidden else WELL


def _dead_letters(sqs: SQSClient, outputs: StackOutputs, screen: Screen) -> DeadLetters:
    return DeadLetters(sqs, outputs.dead_letter_queue_url, complain=screen.complain)


def _report(screen: Screen, sent: int, kept: Counter[str], *, hidden: int, not_reached: int) -> None:
    counts = {"sent": sent, "kept": kept.total(), "inFlight": hidden, "notReached": not_reached}
    screen.result({"dryRun": False, **counts, "reasons": kept})
    screen.table("Left where they are: malformed", ("letters", "reason"), [(n, why) for why, n in kept.most_common()])
    screen.say(f"{sent} dead letters sent again, {kept.total()} left.")
    if not_reached:
        screen.say(f"Not reached, and in the queue as before: about {not_reached}.")
    _say_hidden(screen, hidden)


def _say_hidden(screen: Screen, hidden: int) -> None:
    if hidden:
        screen.say(hidden_letters(hidden, HIDDEN_SECONDS))


def _start_task(sqs: SQSClient, outputs: StackOutputs, rate: float) -> str | None:
    """Have SQS move all letters, or go on; returns the ARN of their queue, or None where it has no such task."""
    url = outputs.dead_letter_queue_url
    source = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        sqs.start_message_move_task(
            SourceArn=source,
            # Refused letters were not moved here by SQS: without it they would have nowhere to go.
            DestinationArn=outputs.queue_arn,
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


def _follow_task(sqs: SQSClient, outputs: StackOutputs, screen: Screen, source: str) -> int:
    with screen.progress() as bars:
        bar = bars.add_task("SQS moves all dead letters", total=None)
        while True:
            task = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            bars.update(bar, completed=moved, total=task.get("ApproximateNumberOfMessagesToMove"))
            if task.get("Status") != "RUNNING":
                break
            time.sleep(_POLL_SECONDS)
    left = sum(depth(sqs, outputs.dead_letter_queue_url))
    done = task.get("Status") == "COMPLETED"
    screen.result({"dryRun": False, "task": task.get("Status"), "sent": moved, "kept": left})
    screen.say(f"{moved} dead letters sent again by SQS, {left} there now.")
    if not done:
        screen.complain(f"redrive: the task is {task.get('Status')}: {task.get('FailureReason', 'no reason given')}")
    return WELL if done and not left else FAILED


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what is there, and send nothing")
    parser.add_argument(
        "--all", action="store_true", help="send malformed letters too, once each: after the function learned them"
    )
    parser.add_argument(
        "--sqs", action="store_true", help="have SQS move all letters, where it can; not if some are malformed"
    )
    add_rate(parser)


COMMAND: Final = Command(
    name="redrive",
    summary="send the intake's dead letters again",
    configure=_configure,
    run=run,
    interrupted="nothing is lost, run it again to go on; what SQS moves by --sqs it goes on to move",
)
