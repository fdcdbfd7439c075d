"""From the queue to the endpoint: what is posted, and what becomes of it by each answer."""

from __future__ import annotations

import json
import ssl
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from delivery.endpoint import Endpoint
from local.certificate import write_certificate
from local.receiver import Reply, listening
from tests.declared_stack import DeclaredStack, dig
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import (
    VALUE,
    Delivering,
    change,
    declared_environment,
    hours_ago,
    import_handler,
)
from tests.scripted_receiver import ScriptedReceiver


def counted(capsys: pytest.CaptureFixture[str], prefix: str = "Deliveries") -> dict[str, float]:
    """Metric name → sum, of all that was printed; without those that are 0."""
    found: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        for name, values in json.loads(line).items():
            if name.startswith(prefix):
                found[name] = found.get(name, 0) + sum(values)
    return {name: value for name, value in found.items() if value}


def test_a_finished_file_is_posted_with_all_that_is_known(
    delivery: Delivering, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery.forward(change(7))
    assert delivery.deliver() == 0

    (arrival,) = delivery.receiver.arrivals
    assert dict(arrival.payload) == {
        "delivery_id": arrival.headers["webhook-id"],
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
        "processed_key": dig(change(7), "dynamodb", "NewImage", "processed_key", "S"),
        "rejected_key": dig(change(7), "dynamodb", "NewImage", "rejected_key", "S"),
        "event_time": "2026-11-20T08:15:30.123Z",
        "last_modified": "2026-11-20T08:15:30.000Z",
        "processed_at": "2026-11-20T08:15:31.204Z",
        "attempt": 1,
        "duration_ms": 312,
    }
    assert arrival.headers["content-type"] == "application/json"
    assert counted(capsys) == {"DeliveriesSent": 1}
    assert delivery.waiting() == 0


def test_records_of_the_api_of_which_none_is_valid_are_sent_without_a_key(delivery: Delivering) -> None:
    delivery.forward(change(1, status="REJECTED", version_id={"S": "api"}, key=None))
    assert delivery.deliver() == 0

    (arrival,) = delivery.receiver.asked
    assert (arrival.payload["status"], arrival.payload["version_id"], arrival.payload["key"]) == (
        "REJECTED",
        "api",
        None,
    )


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_a_later_try_may_change_is_tried_again(
    delivery: Delivering, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery.forward(change())
    delivery.receiver.will_answer(status)

    assert delivery.deliver() == 1
    assert counted(capsys) == {"DeliveriesFailed": 1}
    assert delivery.deliver() == 0

    assert delivery.receiver.asked[0].body == delivery.receiver.asked[1].body
    assert len({arrival.delivery_id for arrival in delivery.receiver.asked}) == 1
    assert delivery.dead_letters() == []


def test_a_hang_up_is_tried_again(delivery: Delivering) -> None:
    delivery.forward(change())
    delivery.receiver.will_hang_up()

    assert delivery.deliver() == 1
    assert delivery.deliver() == 0


def test_an_endpoint_that_does_not_answer_in_time_is_tried_again(delivery: Delivering) -> None:
    answered = threading.Event()

    def slow() -> Reply:
        answered.wait(10)
        return Reply(status=204)

    delivery.forward(change())
    delivery.receiver.script.append(slow)

    assert delivery.deliver() == 1
    answered.set()
    assert delivery.deliver() == 0


def test_nobody_listens(delivery: Delivering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_URL", "http://127.0.0.1:9/files")
    import_handler(monkeypatch)
    delivery.forward(change())

    assert delivery.deliver() == 1
    assert delivery.dead_letters() == []


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 410, 413, 422])
def test_what_the_endpoint_refuses_is_a_dead_letter_at_once(
    delivery: Delivering, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery.forward(change(1), change(1, version_id={"S": "v2"}))
    (first,) = delivery.receive()
    delivery.receiver.will_answer(status, Location=delivery.receiver.url)

    assert delivery.invoke(delivery.event(first))

    (letter,) = delivery.dead_letters()
    assert letter.attributes == {"reason": f"the endpoint answered {status}", "status": str(status)}
    assert (letter.body, letter.group) == (first["Body"], first["Attributes"]["MessageGroupId"])
    assert letter.deduplication_id == first["MessageId"], "another when it is sent again, or SQS would drop it"
    assert len(delivery.receiver.asked) == 1, "a redirect is not followed"
    assert counted(capsys) == {"DeliveriesDeadLettered": 1}
    assert delivery.deliver() == 0
    assert [arrival.payload["version_id"] for arrival in delivery.receiver.arrivals] == ["v2"], (
        "the next is not held up"
    )


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
    delivery.forward(change(1))
    with listening(ScriptedReceiver, context) as secure:
        secure.expect(VALUE)
        monkeypatch.setenv("ENDPOINT_URL", secure.url.replace("http://", "https://"))
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
        import_handler(monkeypatch)

        assert delivery.deliver() == int(not trusted)

    assert len(secure.asked) == int(trusted)


def test_what_is_on_this_machine_is_not_delivered_to_and_not_lost(
    delivery: Delivering, delivering: DeclaredStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may be corrected: until then deliveries wait, and in the end they are dead-lettered with the reason."""
    monkeypatch.setenv("ENDPOINT_URL", delivery.receiver.url.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("FORBIDDEN_NETWORKS", declared_environment(delivering)["FORBIDDEN_NETWORKS"])
    import_handler(monkeypatch)
    delivery.forward(change())

    assert delivery.deliver() == 1
    assert delivery.deliver(first_tried=hours_ago(6.1)) == 0

    (letter,) = delivery.dead_letters()
    assert letter.reason.startswith("localhost is at ")
    assert letter.reason.endswith(", where nothing may be delivered; tried for 6:00:00")
    assert delivery.receiver.asked == []


@pytest.mark.parametrize(
    "value",
    ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200", "999999999", "soon", "-1"],
)
def test_no_retry_after_breaks_it(delivery: Delivering, value: str) -> None:
    delivery.forward(change())
    delivery.receiver.script.append(lambda: Reply(status=204, headers={"Retry-After": value}))

    assert delivery.deliver() == 0


@pytest.mark.parametrize(
    "body", ["{", "[]", "{}", '{"delivery_id": "x\\r\\nHost: elsewhere", "object_id": "o", "status": "s"}']
)
def test_a_message_that_holds_no_delivery_is_a_dead_letter(delivery: Delivering, body: str) -> None:
    delivery.forward(change())
    (message,) = delivery.receive()

    assert delivery.invoke(delivery.event({**message, "Body": body}))

    (letter,) = delivery.dead_letters()
    assert letter.attributes["malformed"] == "true"
    assert letter.reason.startswith("the message has another shape")
    assert delivery.receiver.asked == []


def test_a_dead_letter_queue_out_of_reach_loses_nothing(delivery: Delivering, calls: Calls) -> None:
    delivery.forward(change())
    delivery.receiver.will_answer(404, 404)
    calls.fail("SendMessage", "ServiceUnavailable", status=503)

    (message,) = delivery.receive()
    assert not delivery.invoke(delivery.event(message))
    assert delivery.invoke(delivery.event(message))
    assert len(delivery.dead_letters()) == 1


def test_an_error_that_nobody_expected_loses_nothing_and_is_logged(
    delivery: Delivering, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Endpoint, "post", fail)
        delivery.forward(change())
        (message,) = delivery.receive()
        assert not delivery.invoke(delivery.event(message))

    assert "failed, left in the queue" in caplog.messages
    assert delivery.invoke(delivery.event(message))


def test_whatever_lambda_hands_over_no_message_of_a_file_overtakes_another(delivery: Delivering) -> None:
    delivery.forward(change(1), change(1, version_id={"S": "v2"}), change(2))
    received = delivery.sqs.receive_message(
        QueueUrl=delivery.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    delivery.receiver.will_answer(500)

    failed = delivery.call(*(delivery.event(message) for message in received))

    assert failed == [message["MessageId"] for message in received[:2]]
    assert [arrival.payload["key"] for arrival in delivery.receiver.arrivals] == ["uploads/2.csv"]
