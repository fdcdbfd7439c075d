"""The delivery function as Lambda calls it: what is sent, what comes back, what is put aside, what is never said."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest

from delivery.endpoint import Endpoint, UnreachableError, sign
from local.certificate import write_certificate
from local.receiver import Reply, listening
from shared.environment import WrongEnvironmentError
from tests.conftest import DeclaredStack
from tests.lambda_src.conftest import Calls, LambdaContext
from tests.lambda_src.delivery.conftest import (
    VALUE,
    Delivering,
    Record,
    change,
    declared_environment,
    import_handler,
    number_of,
)
from tests.scripted_receiver import ScriptedReceiver


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with what stands beside the messages."""
    return "\n".join(str(vars(record)) for record in caplog.records)


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Metric name → sum, of all that was printed; without those that are 0."""
    found: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        for name, values in json.loads(line).items():
            if name.startswith("Deliveries"):
                found[name] = found.get(name, 0) + sum(values)
    return {name: value for name, value in found.items() if value}


def test_a_finished_file_is_posted_with_all_that_is_known(
    delivery: Delivering, capsys: pytest.CaptureFixture[str]
) -> None:
    assert delivery.invoke(change(7)) == []

    (arrival,) = delivery.receiver.arrivals
    assert dict(arrival.told) == {
        "delivery_id": arrival.headers["delivery-id"],
        "object_id": "landing-bucket/uploads/7.csv#1a79a4d60de6718e",
        "bucket": "landing-bucket",
        "key": "uploads/7.csv",
        "version_id": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
        "etag": "d41d8cd98f00b204e9800998ecf8427e",
        "sequencer": "0055AED6DCD90281E5",
        "status": "COMPLETED",
        "reason": None,
        "size": 1056,
        "content_type": "text/csv",
        "records_valid": 18,
        "records_rejected": 2,
        "processed_key": "processed/record_type=shipment/day=2026-11-20/file-9f86d081884c7d659a2feaa0c55ad015-2026-11-20.csv.ndjson.gz",
        "rejected_key": "rejected/record_type=shipment/day=2026-11-20/file-9f86d081884c7d659a2feaa0c55ad015-2026-11-20.csv.ndjson.gz",
        "event_time": "2026-11-20T08:15:30.123Z",
        "last_modified": "2026-11-20T08:15:30.000Z",
        "processed_at": "2026-11-20T08:15:31.204Z",
        "attempt": 1,
        "duration_ms": 312,
    }
    assert arrival.headers["content-type"] == "application/json"
    assert counted(capsys) == {"DeliveriesSent": 1}


@pytest.mark.parametrize("status", ["COMPLETED", "REJECTED", "FAILED"])
@pytest.mark.parametrize("before", ["PROCESSING", None])
def test_each_final_status_is_delivered(delivery: Delivering, status: str, before: str | None) -> None:
    delivery.invoke(change(status=status, before=before))

    assert [arrival.told["status"] for arrival in delivery.receiver.arrivals] == [status]


def test_what_is_no_change_to_a_final_status_is_not_delivered(delivery: Delivering) -> None:
    """All that a filter may let through, or that another filter would."""
    pointer = change(status="COMPLETED", before="COMPLETED")
    removed = change()
    inner = removed["dynamodb"]
    assert isinstance(inner, dict)
    del inner["NewImage"]

    failures = delivery.invoke(
        change(status="SKIPPED"),
        change(status="PROCESSING", before="FAILED"),
        change(before="COMPLETED"),
        pointer,
        removed,
    )

    assert failures == []
    assert delivery.receiver.asked == []


def test_the_same_change_has_the_same_id_and_another_run_another(delivery: Delivering) -> None:
    failed = change(status="FAILED")
    again = change(status="FAILED", request_id={"S": "another-run"}, attempt={"N": "2"})
    for record in (failed, failed, again, change(status="COMPLETED"), change(1, status="FAILED")):
        delivery.invoke(record)

    first, duplicate, *others = delivery.receiver.taken()
    assert first == duplicate
    assert len({first, *others}) == 4
    assert delivery.receiver.arrivals[0].body == delivery.receiver.arrivals[1].body


def test_the_first_failure_ends_the_batch_and_nothing_overtakes(
    delivery: Delivering, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [change(number) for number in range(5)]
    delivery.receiver.will_answer(204, 500)

    assert delivery.invoke(*records) == [number_of(records[1])]

    assert len(delivery.receiver.asked) == 2
    assert counted(capsys) == {"DeliveriesSent": 1, "DeliveriesFailed": 1}
    assert delivery.invoke(*records[1:]) == []
    assert [arrival.told["key"] for arrival in delivery.receiver.arrivals] == [f"uploads/{n}.csv" for n in range(1, 5)]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_can_pass_is_tried_again(delivery: Delivering, status: int) -> None:
    delivery.receiver.will_answer(status)

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.letters() == []
    assert delivery.invoke(change()) == []
    assert len(delivery.receiver.taken()) == 1


def test_a_hang_up_is_tried_again(delivery: Delivering) -> None:
    delivery.receiver.will_hang_up()

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.invoke(change()) == []


def test_an_endpoint_that_does_not_answer_in_time_is_tried_again(delivery: Delivering) -> None:
    answered = threading.Event()

    def slow() -> Reply:
        answered.wait(10)
        return Reply(status=204)

    delivery.receiver.script.append(slow)

    assert delivery.invoke(change()) == [number_of(change())]
    answered.set()
    assert delivery.invoke(change()) == []


def test_nobody_listens(delivery: Delivering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_URL", "http://127.0.0.1:9/files")
    import_handler(monkeypatch)

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.letters() == []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """An authority that nobody knows, and a server's context with its certificate."""
    authority, server = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return authority, context


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_certificate_that_is_trusted_gets_the_secret(
    delivery: Delivering,
    certificate: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
) -> None:
    path, context = certificate
    with listening(ScriptedReceiver, context) as secure:
        secure.expect(VALUE)
        monkeypatch.setenv("ENDPOINT_URL", secure.url.replace("http://", "https://"))
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
        import_handler(monkeypatch)

        failures = delivery.invoke(change(1), change(2))

    assert failures == ([] if trusted else [number_of(change(1))])
    assert len(secure.asked) == (2 if trusted else 0)


def test_an_answer_that_never_ends_is_not_waited_for(delivery: Delivering) -> None:
    delivery.receiver.will_answer(200, Content_Length="1000000")

    assert delivery.invoke(change(1), change(2)) == []
    assert len(delivery.receiver.asked) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 410, 422])
def test_a_refusal_is_a_dead_letter_at_once_with_its_status(
    delivery: Delivering, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery.receiver.will_answer(status, Location=delivery.receiver.url)

    assert delivery.invoke(change(1), change(2)) == []

    (letter,) = delivery.letters()
    assert (letter["http_status"], letter["reason"]) == (status, f"the endpoint answered {status}")
    assert json.loads(str(letter["body"]))["key"] == "uploads/1.csv"
    assert len(delivery.receiver.asked) == 2, "a redirect is not followed"
    assert [arrival.told["key"] for arrival in delivery.receiver.arrivals] == ["uploads/2.csv"], (
        "others are not held up"
    )
    assert counted(capsys) == {"DeliveriesSent": 1, "DeliveriesDeadLettered": 1}


def test_a_rotated_secret_is_read_afresh_after_a_401(delivery: Delivering, calls: Calls) -> None:
    delivery.invoke(change(1))
    delivery.receiver.expect(delivery.rotate())

    assert delivery.invoke(change(2)) == []

    assert len(delivery.receiver.taken()) == 2
    assert calls.made.count("GetSecretValue") == 2
    assert delivery.letters() == []


def test_a_secret_that_the_endpoint_does_not_know_is_a_dead_letter(delivery: Delivering) -> None:
    delivery.receiver.expect({**VALUE, "password": "unknown"})

    assert delivery.invoke(change()) == []

    (letter,) = delivery.letters()
    assert letter["http_status"] == 401
    assert len(delivery.receiver.asked) == 2


def test_the_secret_is_read_once_for_many(delivery: Delivering, calls: Calls) -> None:
    delivery.invoke(*[change(number) for number in range(20)])
    delivery.invoke(change(20))

    assert calls.made.count("GetSecretValue") == 1


def test_a_secret_that_cannot_be_read_holds_deliveries_back(delivery: Delivering, calls: Calls) -> None:
    calls.fail("GetSecretValue", "AccessDeniedException")

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.invoke(change()) == []


@pytest.mark.parametrize("value", ["hunter2", '{"password": "hunter2"}', '["hunter2"]', '{"username": 1}'])
def test_an_unusable_secret_is_named_and_not_shown(
    delivery: Delivering, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    delivery.secretsmanager.put_secret_value(SecretId=delivery.secret_arn, SecretString=value)

    assert delivery.invoke(change()) == [number_of(change())]

    printed = logged(caplog)
    assert "the secret is not a JSON object with the texts username, password, signing_key" in printed
    assert "hunter2" not in printed


def test_what_has_become_too_old_is_tried_once_and_put_aside(delivery: Delivering) -> None:
    delivery.receiver.will_answer(503)
    old = [change(number, age_seconds=6 * 3600 + 1) for number in range(3)]

    assert delivery.invoke(*old) == []

    (letter,) = delivery.letters()
    assert json.loads(str(letter["body"]))["key"] == "uploads/0.csv"
    assert letter["http_status"] == 503
    assert "too old" in str(letter["reason"])
    assert len(delivery.receiver.asked) == 3, "the others are not put aside untried"


def test_who_does_not_even_answer_is_not_asked_again_for_what_is_too_old(
    delivery: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def silence(*_arguments: object) -> NoReturn:
        asked.append(1)
        raise UnreachableError("no answer in time")

    monkeypatch.setattr(Endpoint, "post", silence)

    assert delivery.invoke(*(change(number, age_seconds=6 * 3600 + 1) for number in range(3))) == []

    assert len(delivery.letters()) == 3
    assert len(asked) == 1


def test_what_is_on_this_machine_is_not_delivered_to_and_not_lost(
    delivery: Delivering, delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads there may be put right: until then deliveries wait, and end as dead letters that say why."""
    monkeypatch.setenv("ENDPOINT_URL", delivery.receiver.url.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("FORBIDDEN_NETWORKS", declared_environment(delivering)["FORBIDDEN_NETWORKS"])
    import_handler(monkeypatch)

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.invoke(change(age_seconds=6 * 3600 + 1)) == []

    (letter,) = delivery.letters()
    assert str(letter["reason"]).startswith("localhost is at ")
    assert str(letter["reason"]).endswith(", where nothing may be delivered, until it was too old")
    assert delivery.receiver.asked == []


@pytest.mark.parametrize(
    "value",
    ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200", "999999999", "soon", "-1"],
)
def test_no_retry_after_breaks_it(delivery: Delivering, value: str) -> None:
    delivery.receiver.script.append(lambda: Reply(status=204, headers={"Retry-After": value}))

    assert delivery.invoke(change(1)) == []


def test_records_of_the_api_of_which_none_is_valid_are_told_without_a_key(delivery: Delivering) -> None:
    record = change(1, status="REJECTED", before="PROCESSING", version_id={"S": "api"}, key=None)

    assert delivery.invoke(record) == []

    (arrival,) = delivery.receiver.asked
    assert (arrival.told["status"], arrival.told["version_id"], arrival.told["key"]) == ("REJECTED", "api", None)
    assert delivery.letters() == []


def test_a_file_that_an_operator_puts_through_again_is_no_news(delivery: Delivering) -> None:
    record = change(1, status="FAILED", before="COMPLETED", reopened_by={"S": "arn:aws:sts::123456789012:x"})

    assert delivery.invoke(record) == []

    assert delivery.receiver.asked == []


def test_two_failures_of_one_run_are_two_changes(delivery: Delivering) -> None:
    for second in range(2):
        moment = {"S": f"2026-11-20T08:00:0{second}.000Z"}
        delivery.invoke(change(1, status="FAILED", processed_at=moment))

    assert len({arrival.delivery_id for arrival in delivery.receiver.asked}) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"NewImage": {"status": "COMPLETED"}},
        {"NewImage": ["status"]},
        {"NewImage": {"status": {"S": "COMPLETED"}, "object_id": "x"}},
        {"NewImage": {"status": {"S": "COMPLETED"}}, "ApproximateCreationDateTime": 1e300},
    ],
)
def test_a_letter_that_is_broken_does_not_stop_the_others(delivery: Delivering, broken: dict[str, object]) -> None:
    good = {"record": change(1)}

    outcomes = [result["outcome"] for result in delivery.send_again({"record": {"dynamodb": broken}}, good)]

    assert outcomes[0] in {"refused", "skipped"}
    assert outcomes[1] == "sent"


def test_what_is_old_is_still_delivered_if_it_can_be(delivery: Delivering) -> None:
    assert delivery.invoke(change(age_seconds=6 * 3600 + 1)) == []
    assert len(delivery.receiver.taken()) == 1


def test_a_dead_letter_queue_out_of_reach_loses_nothing(delivery: Delivering, calls: Calls) -> None:
    delivery.receiver.will_answer(404, 404)
    calls.fail("SendMessage", "ServiceUnavailable", status=503)

    assert delivery.invoke(change()) == [number_of(change())]
    assert delivery.invoke(change()) == []
    assert len(delivery.letters()) == 1


@pytest.mark.parametrize("missing", ["object_id", "version_id", "bucket", "key", "request_id"])
def test_a_record_without_a_name_is_put_aside_whole(delivery: Delivering, missing: str) -> None:
    record = change(1)
    inner = record["dynamodb"]
    assert isinstance(inner, dict)
    del inner["NewImage"][missing]

    assert delivery.invoke(record, change(2)) == []

    (letter,) = delivery.letters()
    assert letter == {"record": record, "reason": f"record the item has no {missing}"}
    assert len(delivery.receiver.taken()) == 1


def test_too_little_time_left_hands_back_unharmed(delivery: Delivering, capsys: pytest.CaptureFixture[str]) -> None:
    """One try may take 3 s to connect and 1 s for an answer, and 10 s are kept in reserve."""
    context = LambdaContext(remaining_ms=lambda: 13_900)

    assert delivery.invoke(change(1), change(2), context=context) == [number_of(change(1))]

    assert delivery.receiver.asked == []
    assert counted(capsys) == {}


def test_a_burst_of_500_files_under_failures_loses_nothing_and_keeps_the_order(delivery: Delivering) -> None:
    """Fifty objects with ten versions each, in batches of 25 that are resumed as Lambda does."""
    records = [
        change(number, object_id=f"landing-bucket/uploads/{number % 50}.csv#1a79", version_id={"S": f"v{number:03}"})
        for number in range(500)
    ]
    waiting = deque(records)
    for round_number in range(1000):
        if not waiting:
            break
        if round_number % 3 == 0:
            delivery.receiver.will_answer(500)
        elif round_number % 7 == 0:
            delivery.receiver.will_hang_up()
        batch = list(waiting)[:25]
        failures = delivery.invoke(*batch)
        done = [number_of(record) for record in batch].index(failures[0]) if failures else len(batch)
        for _ in range(done):
            waiting.popleft()

    told = [(str(a.told["object_id"]), str(a.told["version_id"])) for a in delivery.receiver.arrivals]
    assert len(told) == 500
    versions: dict[str, list[str]] = {}
    for object_id, version in told:
        versions.setdefault(object_id, []).append(version)
    assert len(versions) == 50
    assert all(one < other for found in versions.values() for one, other in pairwise(found))


def test_a_worker_that_dies_in_the_middle_loses_nothing(delivery: Delivering) -> None:
    """Lambda hears nothing and sends the whole batch again: what was taken comes twice, under the same ids."""

    class KilledError(BaseException):
        pass

    records = [change(number) for number in range(4)]
    with pytest.MonkeyPatch.context() as patch:
        posted: list[Record] = []

        def die_at_the_third(body: bytes, key: str, moment: int) -> str:
            if len(posted) == 2:
                raise KilledError
            posted.append({})
            return sign(body, key, moment)

        patch.setattr("delivery.endpoint.sign", die_at_the_third)
        with pytest.raises(KilledError):
            delivery.invoke(*records)

    assert delivery.invoke(*records) == []

    taken = delivery.receiver.taken()
    assert taken[:2] == taken[2:4]
    assert len(set(taken)) == 4


def test_no_secret_is_ever_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, delivery: Delivering
) -> None:
    caplog.set_level("DEBUG")
    delivery.receiver.will_answer(204, 500, 404, 401, 401)
    delivery.receiver.script.append(lambda: Reply(status=302, headers={"Location": "https://elsewhere.example"}))
    for number in range(6):
        delivery.invoke(change(number))

    printed = capsys.readouterr()
    text = printed.out + printed.err + logged(caplog) + json.dumps(delivery.letters())
    assert "the endpoint answered 404" in text
    assert VALUE["password"] not in text
    assert VALUE["signing_key"] not in text
    assert "Basic " not in text


def test_a_dead_letter_is_sent_again_with_its_id_and_bytes(delivery: Delivering) -> None:
    delivery.receiver.will_answer(404)
    delivery.invoke(change())
    (letter,) = delivery.letters()

    assert delivery.send_again(letter) == [{"outcome": "sent", "reason": ""}]

    assert delivery.receiver.asked[0].body == delivery.receiver.asked[1].body
    assert delivery.receiver.taken() == [letter["delivery_id"]]


def test_letters_that_are_not_taken_are_not_put_aside_twice(delivery: Delivering) -> None:
    letters = [{"record": change(number, age_seconds=10**6)} for number in range(4)]
    delivery.receiver.will_answer(404, 204, 503)

    results = delivery.send_again(*letters)

    assert [result["outcome"] for result in results] == ["refused", "sent", "failed", "later"]
    assert delivery.letters() == []


def test_letters_are_left_for_later_when_time_is_short(delivery: Delivering) -> None:
    results = delivery.send_again({"record": change()}, context=LambdaContext(remaining_ms=lambda: 100))

    assert [result["outcome"] for result in results] == ["later"]


@pytest.mark.parametrize(
    ("letter", "outcome"),
    [
        ({"record": change(status="PROCESSING")}, "skipped"),
        ({"record": {}}, "refused"),
        ({"body": "{}"}, "refused"),
        ({"body": "{", "delivery_id": "0" * 32}, "refused"),
        ({"body": "{}", "delivery_id": "x\r\nHost: elsewhere"}, "refused"),
        ({"body": '"\ud800"', "delivery_id": "0" * 32}, "refused"),
        ({"text": "not ours"}, "refused"),
    ],
)
def test_letters_that_hold_nothing_to_send(delivery: Delivering, letter: dict[str, object], outcome: str) -> None:
    assert [result["outcome"] for result in delivery.send_again(letter)] == [outcome]
    assert delivery.receiver.asked == []


@pytest.mark.usefixtures("delivery")
def test_the_function_reads_exactly_what_the_program_sets(
    delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable that the program sets, taken away, stops the function at start, with its name."""
    for name in declared_environment(delivering):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(WrongEnvironmentError, match=f"environment variable {name} is missing"):
                import_handler(without)
