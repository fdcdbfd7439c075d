"""With whose credentials and keys is sent: what Standard Webhooks' own package verifies, through rotations too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from delivery.credentials import Credentials, StoredCredentials
from delivery.signature import key_bytes, sign
from shared import clients
from tests.lambda_src.conftest import Calls
from tests.lambda_src.delivery.conftest import KEY, OTHER_KEY, VALUE, Delivering, change


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with what stands beside the messages."""
    return "\n".join(str(vars(record)) for record in caplog.records)


def test_it_signs_as_the_packages_own_sender_does() -> None:
    moment = datetime.fromtimestamp(1_795_162_531, UTC)
    body = '{"key": "\u00fc"}'

    mine = sign("d1", 1_795_162_531, body.encode(), [key_bytes(KEY)])

    assert mine == Webhook(KEY).sign("d1", moment, body)


def test_what_is_sent_is_verified_by_the_key_of_the_secret_and_by_no_other(delivery: Delivering) -> None:
    delivery.forward(change())
    assert delivery.deliver() == 0

    (arrival,) = delivery.receiver.asked
    headers = dict(arrival.headers)
    assert Webhook(KEY).verify(arrival.body, headers)["key"] == "uploads/0.csv"
    assert len(headers["webhook-signature"].split()) == 1
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_KEY).verify(arrival.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(arrival.body + b" ", headers)


@pytest.mark.parametrize(("hours", "signatures"), [(24.0, 2), (-0.1, 1)])
def test_the_previous_key_signs_too_until_its_time_is_over(delivery: Delivering, hours: float, signatures: int) -> None:
    value = delivery.rotate(previous_signing_key=KEY, previous_until=in_hours(hours))
    delivery.receiver.expect(value)
    delivery.forward(change())
    assert delivery.deliver() == 0

    (arrival,) = delivery.receiver.arrivals
    headers = dict(arrival.headers)
    assert len(headers["webhook-signature"].split(" ")) == signatures
    if signatures > 1:
        Webhook(KEY).verify(arrival.body, headers)


def test_a_rotated_secret_is_read_afresh_after_a_401(delivery: Delivering, calls: Calls) -> None:
    delivery.forward(change(1), change(2))
    delivery.deliver()
    delivery.receiver.expect(delivery.rotate())

    assert delivery.deliver() == 0

    assert len(delivery.receiver.taken()) == 2
    assert calls.made.count("GetSecretValue") == 2
    assert delivery.dead_letters() == []


def test_a_secret_that_the_endpoint_does_not_know_is_a_dead_letter(delivery: Delivering) -> None:
    delivery.receiver.expect({**VALUE, "password": "unknown"})
    delivery.forward(change())

    assert delivery.deliver() == 0

    (letter,) = delivery.dead_letters()
    assert letter.attributes["status"] == "401"
    assert len(delivery.receiver.asked) == 2


def test_the_secret_is_read_once_for_many(delivery: Delivering, calls: Calls) -> None:
    delivery.forward(*[change(number) for number in range(20)])
    delivery.deliver_all()

    assert len(delivery.receiver.taken()) == 20
    assert calls.made.count("GetSecretValue") == 1


def test_a_secret_that_cannot_be_read_holds_deliveries_back(delivery: Delivering, calls: Calls) -> None:
    calls.fail("GetSecretValue", "AccessDeniedException")
    delivery.forward(change())

    assert delivery.deliver() == 1
    assert delivery.deliver() == 0


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        '{"password": "hunter2"}',
        '["hunter2"]',
        '{"username": 1}',
        '{"username": "u", "password": "p", "signing_key": "hunter2"}',
        '{"username": "u", "password": "p", "signing_key": "whsec_hunter2"}',
        json.dumps({**VALUE, "previous_signing_key": "hunter2"}),
        json.dumps({**VALUE, "previous_until": "hunter2"}),
    ],
)
def test_an_unusable_secret_is_named_and_not_shown(
    delivery: Delivering, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    delivery.secretsmanager.put_secret_value(SecretId=delivery.secret_arn, SecretString=value)
    delivery.forward(change())

    assert delivery.deliver() == 1

    printed = logged(caplog)
    assert "the secret is not a JSON object with the texts username, password, signing_key" in printed
    assert "hunter2" not in printed


def test_the_previous_key_signs_no_more_from_the_end_of_its_time_on() -> None:
    until = datetime(2026, 11, 20, 8, tzinfo=UTC)
    credentials = Credentials(
        username="admin", password="x", signing_key=b"new", previous_signing_key=b"old", previous_until=until
    )

    assert credentials.signing_keys(until.timestamp() - 1) == (b"new", b"old")
    assert credentials.signing_keys(until.timestamp()) == (b"new",)


def test_credentials_do_not_show_what_they_hold(delivery: Delivering) -> None:
    credentials = StoredCredentials(clients.secretsmanager, delivery.secret_arn).credentials()

    assert repr(credentials) == "Credentials(username='admin', previous_until=None)"


def test_no_secret_is_ever_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, delivery: Delivering
) -> None:
    caplog.set_level("DEBUG")
    delivery.receiver.will_answer(204, 500, 404, 401, 401, 302)
    delivery.forward(*(change(number) for number in range(6)))
    delivery.deliver_all()

    printed = capsys.readouterr()
    letters = [(letter.body, letter.attributes) for letter in delivery.dead_letters()]
    text = printed.out + printed.err + logged(caplog) + repr(letters)
    assert "the endpoint answered 404" in text
    assert VALUE["password"] not in text
    assert VALUE["signing_key"].removeprefix("whsec_") not in text
    assert "Basic " not in text
