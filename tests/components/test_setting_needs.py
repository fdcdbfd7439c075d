"""A setting that nothing would read is refused, with what it needs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from components.settings import Settings, SettingsError, parse
from tests.components.test_settings import load, problem
from tests.conftest import declare

ISSUER: Mapping[str, object] = {"jwtIssuer": "https://login.example.com", "jwtAudiences": ["a"]}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def refused(values: Mapping[str, object]) -> str:
    """What is said of settings beside which all others have their defaults."""
    with pytest.raises(SettingsError) as error:
        parse("uploads", "dev", values)
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "others", "reason"),
    [
        *(
            pytest.param(key, value, {"api": False}, "with api = false: take {} out, or set api to true", id=key)
            for key, value in {
                "apiReservedConcurrency": 5,
                "apiSnapStart": True,
                "selfSignup": True,
                "testUser": True,
                "programClient": True,
                "temporaryPasswordDays": 1,
            }.items()
        ),
        *(
            pytest.param(
                key, value, ISSUER, "with jwtIssuer, which stands in for the user pool: take {} out, or", id=f"{key} 2"
            )
            for key, value in {
                "selfSignup": True,
                "testUser": True,
                "programClient": True,
                "threatProtectionSkippedRanges": ["10.0.0.0/8"],
                "temporaryPasswordDays": 1,
            }.items()
        ),
        ("jwtIssuer", "https://login.example.com", {"api": False, "jwtAudiences": ["a"]}, "with api = false: take"),
        ("jwtAudiences", ["a"], {}, "without jwtIssuer: "),
        ("jwtGroupsClaim", "roles", {}, "without jwtIssuer: "),
        ("jwtScopesClaim", "scp", {}, "without jwtIssuer: "),
        ("readScope", "files/ask", {}, "without programClient and jwtIssuer"),
        ("threatProtectionSkippedRanges", ["10.0.0.0/8"], {"threatProtection": "off"}, "with threatProtection = off"),
        ("apiCorsMaxAgeSeconds", 0, {}, "without apiCorsOrigins"),
        ("corsMaxAgeSeconds", 0, {}, "without corsOrigins"),
        ("threatProtection", "enforced", ISSUER, "with jwtIssuer, which protects its own users"),
        *(
            pytest.param(key, value, {"alarms": False}, "with alarms = false: take {} out, or set alarms", id=key)
            for key, value in {
                "alertEmails": ["ops@example.com"],
                "alarmTopicArns": ["arn:aws:sns:eu-central-1:123456789012:operators"],
                "silenceAlarmHours": 24,
                "failedAlarmPercent": 0,
                "rejectedAlarmPercent": 0,
                "deliveryAlarmSeconds": 60,
            }.items()
        ),
        ("apiLatencyAlarmMs", 900, {"alarms": False, "dashboard": False}, "with alarms = false and dashboard = false"),
        ("finalWithinPercent", 95, {"finalWithinSeconds": 0}, "with finalWithinSeconds = 0"),
        ("finalWithinPercent", 95, {"alarms": False, "dashboard": False}, "with alarms = false and dashboard = false"),
        ("archiveAfterDays", 90, {}, "with intelligentTiering = false"),
        ("deepArchiveAfterDays", 180, {}, "with intelligentTiering = false"),
        ("tableMaxReadUnits", 10, {"tableBillingMode": "PROVISIONED"}, "with tableBillingMode = PROVISIONED, whose"),
        ("reconciliationDelaySeconds", 60, {"reconciliationHours": 0}, "with reconciliationHours = 0"),
        ("recordSchemas", "tests/stages/schemas", {"recordTypes": []}, "with recordTypes = []"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(
    key: str, value: object, others: Mapping[str, object], reason: str
) -> None:
    text = refused({"retainData": False, **others, key: value})

    assert f"\n  uploads:{key} = " in text
    assert f": does nothing {reason.format(key)}" in text
    assert f": take {key} out, or " in text


@pytest.mark.parametrize(
    "values",
    [
        {"api": False},
        {"alarms": False, "apiLatencyAlarmMs": 900, "finalWithinSeconds": 60, "finalWithinPercent": 95},
        {"api": False, "selfSignup": False, "apiThrottleRate": 100, "threatProtection": "audit"},
        {**ISSUER, "jwtGroupsClaim": "roles", "readScope": "ask", "testUser": False},
        {"kmsKeyArn": KEY, "keyDeletionDays": 7},
        {"api": False, "passwordMinLength": 8, "apiCorsOrigins": ["https://app.example.com"], "uploadLinkSeconds": 60},
        {**ISSUER, "threatProtection": "off", "tokenMinutes": 5},
        {"tableReadCapacity": 30, "indexWriteCapacity": 30, "autoscalingMaxCapacity": 900},
        {"alarms": False, "alertEmails": []},
    ],
)
def test_what_a_default_says_too_is_taken(values: Mapping[str, object]) -> None:
    """The Pulumi CLI hands every default over: it cannot be told from a value of the stage's."""
    assert isinstance(parse("uploads", "dev", values), Settings)


def test_all_that_would_do_nothing_is_named_at_once() -> None:
    text = problem({"api": False, "alarms": False, "silenceAlarmHours": 24})

    first, *others = [line.split(" = ")[0].strip() for line in text.splitlines()]
    assert first == "wrong settings of stack 'dev':"
    assert sorted(others) == [f"file-pipeline:{key}" for key in ("selfSignup", "silenceAlarmHours", "testUser")]


def test_nothing_is_declared_for_it() -> None:
    with pytest.raises(SettingsError, match="silenceAlarmHours = 24: does nothing with alarms = false"):
        declare("prod", overrides={"alarms": False, "silenceAlarmHours": 24})


def test_a_stage_may_leave_everything_out() -> None:
    assert load("dev-bare").settings.api is False
