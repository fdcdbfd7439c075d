"""What holds for every command: what is refused, what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from typing import cast

import boto3
import pytest

from shared.catalog.model import Outcome, Status
from tests.conftest import ACCOUNT
from tests.declared_stack import dig
from tests.lambda_src.conftest import BUCKET, Aws, Calls
from tests.operate.conftest import (
    COMPLETED,
    REJECTED,
    Operate,
    add_output,
    buried,
    bury,
    ended,
    raise_interrupt,
    uploaded,
)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give a COMMAND"),
        (("nonsense",), "nonsense"),
        (("reprocess",), "give one of a KEY, a PREFIX or a --day"),
        (("reprocess", "uploads/a", "--day", "2026-11-20"), "give one of a KEY, a PREFIX or a --day"),
        (("reprocess", "--day", "yesterday"), "--day 'yesterday': should be a day, such as 2026-11-20"),
        (
            ("reprocess", "processed/a.csv"),
            "'processed/a.csv' is not an upload: give a key or prefix under uploads/, such as ",
        ),
        (("reprocess", "uploads/", "--status", "DONE"), "DONE: should be one of PROCESSING, "),
        (("redrive", "--rate", "0.09"), "at least 0.1 and at most 500 messages a second"),
        (("redrive", "--rate", "501"), "at most 500 messages a second"),
        (("redrive", "--rate", "nan"), "at most 500 messages a second"),
        (("redrive", "--rate", "fast"), "--rate 'fast': should be a number"),
        (("status", "--shards", "-1"), "--shards"),
        (("status", "--shards", "many"), "--shards 'many': should be a whole number"),
        (("show", "uploads/a", "file.csv"), "show: too many arguments: 'file.csv'; quote a name that has blanks"),
        (("status", "--shards", "99999999999"), "--shards"),
        (("show",), "KEY"),
        (
            ("show", "processed/api/1.json"),
            "'processed/api/1.json' is not an upload: give a key under uploads/, such as ",
        ),
        (("show", "api/process/1"), "'api/process/1': there is no request with this id in the catalog"),
        (("end",), "give the ids of the requests to end, or --all"),
        (("end", "api/process/1", "--all"), "give the ids of the requests to end, or --all"),
        (("rotate-secret",), "it has no secret to rotate"),
        (("status", "--outputs", "/nowhere.json"), "/nowhere.json cannot be read"),
        (("status", "--outputs", "a.json", "--stack", "prod"), "give --outputs or --stack, not both"),
    ],
)
def test_what_is_not_understood_is_said_with_status_2(
    operate: Operate, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = operate(*arguments)

    assert ran.status == 2
    assert complaint in ran.err


def test_help_says_what_each_command_and_option_does(operate: Operate) -> None:
    listed = operate("--help")

    assert listed.status == 0
    assert "--outputs" in listed.out
    for command in ("status", "check", "show (why)", "redrive", "reprocess", "end", "rotate-secret", "limits"):
        assert re.search(rf"{re.escape(command)} +[A-Z]\w+ ", listed.out), command
        helped = operate(command.partition(" ")[0], "--help")
        assert helped.status == 0
        assert "session" not in helped.out.lower()
        options = re.findall(r"^│ +(\S.*?)(?:  +(.*))?│$", helped.out, flags=re.MULTILINE)
        assert all(description.strip() for option, description in options if option.startswith("-")), helped.out


def test_why_is_another_name_of_show_and_options_of_all_may_stand_first(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    assert operate("--json", "why", "uploads/a.csv").json() == operate("show", "uploads/a.csv", "--json").json()


@pytest.mark.parametrize("arguments", [("rotate-secret", "--outputs", "-"), ("--outputs", "-", "rotate-secret")])
def test_outputs_may_come_from_standard_input(
    operate: Operate, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"piped": "yes"}'))

    assert "the stack has no output secretArn" in operate(*arguments).err


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        (("redrive",), "SendMessage"),
        (("reprocess", "uploads/a.csv"), "SendMessage"),
        (("end", "api/process/1"), "UpdateItem"),
        (("rotate-secret",), "PutSecretValue"),
    ],
)
def test_a_command_says_which_stack_it_changes_before_it_does(
    aws: Aws,
    operate: Operate,
    calls: Calls,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    change: str,
) -> None:
    bury(aws, "one")
    uploaded(aws, "uploads/a.csv")
    arn = boto3.client("secretsmanager").create_secret(Name="secret", SecretString='{"username": "a"}')["ARN"]
    add_output("secretArn", arn)
    said = list[str]()
    calls.before[change] = lambda: said.append(capsys.readouterr().err)

    json.loads(operate(*arguments, "--json").out)

    assert said
    assert said[0].startswith(f"Changing the stack with the bucket {BUCKET}, in account {ACCOUNT}, ")


@pytest.mark.parametrize("arguments", [("status",), ("redrive", "--dry-run"), ("reprocess", "uploads/", "--dry-run")])
def test_a_command_that_changes_nothing_announces_no_change(operate: Operate, arguments: tuple[str, ...]) -> None:
    assert "Changing" not in operate(*arguments).err


def test_an_error_of_aws_is_said_with_status_1(operate: Operate, calls: Calls) -> None:
    calls.fail("GetFunctionConfiguration", "AccessDeniedException")

    ran = operate("status")

    assert (ran.status, ran.out) == (1, "")
    assert "AccessDeniedException" in ran.err


def test_no_colours_and_nothing_but_json_without_a_terminal(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)

    assert "\x1b[" not in operate("status").out
    assert json.loads(operate("status", "--json").out)


def test_what_is_printed_is_what_is_there(aws: Aws, operate: Operate) -> None:
    """No part of an ARN or a key is taken for an emoji or a style."""
    key = "uploads/[bold]:secret:[/bold].csv"
    ended(aws, uploaded(aws, key), Outcome(status=Status.REJECTED, reason="[red]:warning:"))
    arn = boto3.client("secretsmanager").create_secret(Name="secret", SecretString='{"username": "a"}')["ARN"]
    add_output("secretArn", arn)

    why, rotated = operate("show", key), operate("rotate-secret")

    assert f"{key}, latest" in why.out
    assert "[red]:warning:" in why.out
    assert rotated.out.splitlines()[0] == arn
    assert ":secret:" in arn


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(("key", "expected"), [("uploads/a.csv", 0), ("uploads/b.csv", 1)])
def test_a_reader_that_has_seen_enough_changes_nothing(
    aws: Aws, operate: Operate, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], key: str, expected: int
) -> None:
    """As with ``| head``: the command does all its work, and ends as it would have ended."""
    ended(aws, uploaded(aws, "uploads/a.csv"), COMPLETED)
    ended(aws, uploaded(aws, "uploads/b.csv"), Outcome(status=Status.FAILED, reason="throttled"))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        ran = operate("show", key, *options)

    assert (ran.status, ran.err) == (expected, "")


@pytest.mark.parametrize(
    ("arguments", "call", "advice"),
    [
        (("status",), "GetFunctionConfiguration", "nothing is lost, run it again to go on"),
        (("redrive",), "SendMessage", "what SQS moves by --sqs it goes on to move"),
        (("reprocess", "uploads/a.csv"), "SendMessage", "run again, it begins anew"),
        (("rotate-secret",), "PutSecretValue", "see when it was changed before you rotate it twice"),
    ],
)
def test_an_interruption_says_what_is_left(
    aws: Aws, operate: Operate, calls: Calls, arguments: tuple[str, ...], call: str, advice: str
) -> None:
    bury(aws, "one")
    uploaded(aws, "uploads/a.csv")
    arn = boto3.client("secretsmanager").create_secret(Name="secret", SecretString='{"username": "a"}')["ARN"]
    add_output("secretArn", arn)
    calls.before[call] = raise_interrupt

    ran = operate(*arguments)

    assert ran.status == 130
    assert advice in ran.err


def test_a_polite_stop_is_an_interruption(aws: Aws, operate: Operate, calls: Calls) -> None:
    bury(aws, "one")
    unheeded = list[int]()
    before = signal.signal(signal.SIGTERM, lambda number, _frame: unheeded.append(number))
    try:
        calls.before["SendMessage"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        ran = operate("redrive", "--json")
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert (ran.status, dig(ran.json(), "queues", "intake", "sent")) == (130, 0)
    assert buried(aws) == ["one"], "shown again at once"
    assert unheeded == [signal.SIGTERM], "afterwards it is whose it was"


def test_numbers_are_numbers_in_json(aws: Aws, operate: Operate) -> None:
    ended(aws, uploaded(aws, "uploads/a.csv", b"12345"), COMPLETED)

    (version,) = cast("list[dict[str, object]]", operate("show", "uploads/a.csv", "--json").json()["versions"])

    assert (version["size"], version["attempt"]) == (5, 1)


def test_a_key_cannot_write_over_the_screen(aws: Aws, operate: Operate) -> None:
    key = "uploads/a\x9b2J\u202e.csv"
    ended(aws, uploaded(aws, key), REJECTED)

    ran = operate("show", key)

    assert "uploads/a\\x9b2J\\u202e.csv" in ran.out
    assert not {"\x9b", "\u202e"} & set(ran.out)
    assert not {"\x9b", "\u202e"} & set(operate("show", key + "none").out)
    assert not {"\x9b", "\u202e"} & set(operate("reprocess", key, "--dry-run").out)
