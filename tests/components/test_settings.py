"""Each kind of wrong setting is refused before any resource is declared, and the message says what to do."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import config as runtime_config

from components import settings
from components.settings import Settings, SettingsError, StackSettings
from components.settings.api import API_MAX_RECORD_BYTES
from local.stack_config import StackConfig
from shared.records.batch import MAX_RECORD_BYTES
from tests.conftest import declare
from tests.stage_files import stage_config
from tools.docs.settings import settings as described_settings


def load(stage: str = "dev", overrides: Mapping[str, object] | None = None) -> StackSettings:
    return read(stage_config(stage, overrides))


def read(config: StackConfig) -> StackSettings:
    pulumi.runtime.settings.configure(pulumi.runtime.settings.Settings(project=config.project, stack=config.stage))
    runtime_config.set_all_config(dict(config.values))
    return settings.load()


def problem(overrides: Mapping[str, object], stage: str = "dev") -> str:
    with pytest.raises(SettingsError) as error:
        load(stage, overrides)
    return str(error.value)


def test_bounds_that_leave_a_gap_are_described_as_they_are() -> None:
    described = {setting.key: setting.description for setting in described_settings()}
    others: dict[str, object] = {"intelligentTiering": True, "uploadRetentionDays": 0, "oldVersionRetentionDays": 0}

    for key in ("archiveAfterDays", "deepArchiveAfterDays", "catalogRetentionDays"):
        allowed = problem(others | {key: 5}).partition(f"{key} = 5: should be ")[2].splitlines()[0]
        assert allowed
        assert described[key].endswith(f" Allowed: {allowed}.")


def test_the_least_memory_of_the_api_is_described_as_it_is() -> None:
    least = Settings().api_memory_mb
    described = {setting.key: setting.description for setting in described_settings()}

    assert f" {least} with the defaults " in described["functionMemoryMb"]


def test_stages_differ_as_promised() -> None:
    dev, prod = load("dev").settings, load("prod").settings

    assert (dev.function_memory_mb, dev.function_timeout_seconds) == (512, 60)
    assert (prod.function_memory_mb, prod.function_timeout_seconds) == (1024, 120)
    assert (dev.log_level, prod.log_level) == ("DEBUG", "INFO")
    assert dev.cors_origins == ["*"]
    assert "*" not in prod.cors_origins
    assert (dev.upload_retention_days, prod.upload_retention_days) == (7, 90)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        pytest.param("logLevle", "INFO", "is not a setting of this program", id="unknown key"),
        pytest.param("logLevel", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'", id="not one of these"),
        pytest.param("functionTimeoutSeconds", 901, "should be less than or equal to 900", id="too large"),
        pytest.param("maxConcurrency", 1, "should be greater than or equal to 2", id="too small"),
        pytest.param("maxReceiveCount", "many", "should be a valid integer", id="not a number"),
        pytest.param("functionMemoryMb", 512.5, "should be a valid integer", id="not a whole number"),
        pytest.param("retainData", "perhaps", "should be a valid boolean", id="not a flag"),
        pytest.param("alertEmails", "ops@example.com", "should be a valid list", id="not a list"),
        pytest.param("alertEmails", ["nobody"], "should be an e-mail address", id="not an e-mail address"),
        pytest.param("corsOrigins", ["app.example.com"], "should be * or an origin", id="origin without scheme"),
        pytest.param("corsOrigins", ["https://a.example/x"], "should be * or an origin", id="origin with a path"),
        pytest.param("allowedExtensions", ["csv"], "should be a lower-case extension", id="extension without dot"),
        pytest.param("allowedExtensions", [], "should have at least 1 item", id="nothing is taken in"),
        pytest.param("refusedPrefixes", ["temp"], "ends in a slash", id="folder without slash"),
        pytest.param("lambdaInsightsLayerArn", "on", "the versioned ARN", id="no layer ARN"),
        pytest.param("logRetentionDays", 8, "should be 1, 3, 5, 7", id="retention that CloudWatch does not know"),
        pytest.param("archiveAfterDays", 731, "should be less than or equal to 730", id="archive too late"),
        pytest.param("batchSize", 10, "one message is one invocation's work", id="batch size"),
        pytest.param(
            "deliveryEndpoint", "receiver.example.com", "a URL such as https://", id="endpoint without scheme"
        ),
        pytest.param("deliveryEndpoint", "http://receiver.example.com/", "a URL such as https://", id="plain HTTP"),
        pytest.param("deliveryEndpoint", "https://u:p@example.com/", "without user, password", id="credentials in it"),
        pytest.param("deliveryEndpoint", "https://example.com/#top", "or fragment", id="endpoint with a fragment"),
        pytest.param("deliveryEndpoint", "https://example.com/" + "x" * 2048, "2048 characters at most", id="too long"),
        pytest.param("deliveryEndpoint", "https://example.com:port/", "a URL such as https://", id="wrong port"),
        pytest.param("deliveryEndpoint", "https://example.com/a b", "a URL such as https://", id="space in it"),
        pytest.param("deliveryEndpoint", "http://127.0.0.1:8000/", "only the stage 'local'", id="loopback in a stage"),
        pytest.param("deliveryEndpoint", "https://localhost/", "its own machine or link", id="this machine by name"),
        pytest.param("deliveryEndpoint", "https://a.localhost/", "its own machine or link", id="under localhost"),
        pytest.param("deliveryEndpoint", "https://127.0.0.1:9001/", "its own machine or link", id="runtime API"),
        pytest.param("deliveryEndpoint", "https://127.1/", "its own machine or link", id="loopback, in short"),
        pytest.param("deliveryEndpoint", "https://2130706433/", "its own machine or link", id="loopback as a number"),
        pytest.param("deliveryEndpoint", "https://0x7f000001/", "its own machine or link", id="loopback in hex"),
        pytest.param("deliveryEndpoint", "https://[::1]/", "its own machine or link", id="loopback of IPv6"),
        pytest.param("deliveryEndpoint", "https://169.254.169.254/", "its own machine or link", id="link-local"),
        pytest.param("deliveryEndpoint", "https://0.0.0.0/", "its own machine or link", id="this host"),
        pytest.param("deliveryEndpoint", "https://224.0.0.1/", "its own machine or link", id="multicast"),
        pytest.param("deliveryRetrySeconds", 86401, "less than or equal to 86400", id="longer than a day"),
        pytest.param("deliveryMaxAgeSeconds", 3600, "say deliveryRetrySeconds", id="renamed age"),
        pytest.param("deliveryParallelization", 5, "say deliveryMaxConcurrency", id="renamed parallelization"),
        pytest.param("deliveryBatchSize", 25, "one message is one invocation's work", id="no batches"),
        pytest.param("deliveryMaxRetries", 9, "it follows from deliveryRetrySeconds", id="no retries"),
        *(
            pytest.param("threatProtection", value, "should be 'off', 'audit' or 'enforced'", id=f"protection {value}")
            for value in ("true", "false", "OFF", "on", "")
        ),
        *(
            pytest.param("threatProtectionSkippedRanges", [value], "in CIDR notation, such as", id=f"range {value}")
            for value in ("203.0.113.7", "203.0.113.7/24", "203.0.113.0/33", "office")
        ),
        pytest.param("tokenMinutes", 4, "should be greater than or equal to 5", id="shorter than Cognito's shortest"),
        pytest.param("tokenMinutes", 1441, "should be less than or equal to 1440", id="longer than a day"),
        pytest.param("refreshTokenDays", 3651, "should be less than or equal to 3650", id="longer than ten years"),
        pytest.param("temporaryPasswordDays", 0, "should be greater than or equal to 1", id="Cognito takes 0 for 7"),
        pytest.param("apiReservedConcurrency", -1, "should be greater than or equal to 0", id="less than none"),
        *(
            pytest.param("kmsKeyArn", value, "the ARN of a key, not of an alias", id=f"key {value}")
            for value in ("alias/ours", "arn:aws:kms:eu-central-1:123456789012:alias/ours", "1234abcd")
        ),
        pytest.param("permissionsBoundaryArn", "boundary", "the ARN of a managed policy", id="boundary by name"),
        *(
            pytest.param("iamPath", value, "begin and end with a slash", id=f"path {value!r}")
            for value in ("pipelines/", "/pipelines", "", "/a b/")
        ),
        pytest.param("tags", ["Team"], "a tag's key, =, and its value", id="tag without value"),
        pytest.param("tags", ["aws:team=x"], "which is AWS's own", id="tag of AWS's"),
        pytest.param("tags", [f"k{n}=v" for n in range(45)], "at most 44 items", id="more tags than a resource has"),
        pytest.param("subnetIds", ["10.0.0.0/24"], "the id of a subnet", id="subnet by range"),
        pytest.param("securityGroupIds", ["default"], "the id of a security group", id="security group by name"),
        pytest.param("alarmTopicArns", ["operators"], "the ARN of a standard topic", id="topic by name"),
        pytest.param(
            "alarmTopicArns",
            ["arn:aws:sns:eu-central-1:123456789012:a.fifo"],
            "the ARN of a standard topic",
            id="topic that takes no alarms",
        ),
        *(
            pytest.param("jwtIssuer", value, "the issuer's URL, such as", id=f"issuer {value}")
            for value in ("login.example.com", "http://login.example.com", "https://login.example.com/?")
        ),
        pytest.param("writersGroup", "File Writers", "no blank and no bracket", id="group with a blank"),
        pytest.param("owner", "", "should have 1 to 256 letters", id="empty text"),
        pytest.param("owner", "R&D <x>", "as AWS tags do", id="tag with other characters"),
        pytest.param("corsOrigins", ["https://*.*.com"], "should be * or an origin", id="two wildcards"),
        pytest.param(
            "lambdaInsightsLayerArn",
            "arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension:53",
            "LambdaInsightsExtension-Arm64",
            id="layer of another architecture",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(key: str, value: object, message: str) -> None:
    text = problem({key: value})

    assert f"file-pipeline:{key}" in text
    assert message in text
    shown = value[0] if isinstance(value, list) and value else value
    assert str(shown) in text


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"timeReserveSeconds": 30}, "should be less than half of functionTimeoutSeconds (60)"),
        ({"autoscalingMinCapacity": 9, "autoscalingMaxCapacity": 8}, "should be at most autoscalingMaxCapacity (8)"),
        ({"deadLetterRetentionDays": 4}, "should be more than intakeRetentionDays (4)"),
        ({"maxReceiveCount": 500}, "or messages are dropped before they are dead-lettered"),
        ({"recordTypes": ["uploads/checks/check-1/=shipment"]}, "`operate check` uploads uploads/checks/check-…"),
        ({"refusedPrefixes": ["checks/"]}, "refusedPrefixes: 'checks/'"),
        ({"refusedPrefixes": ["uploads/"]}, "`operate check` uploads uploads/checks/check-…"),
        (
            {"deliveryAlarmSeconds": 21600, "deliveryEndpoint": "https://example.com/"},
            "should be less than deliveryRetrySeconds (21600)",
        ),
        ({"archiveAfterDays": 30, "intelligentTiering": True}, "archiveAfterDays = 30: should be 0, or 90 to 730"),
        ({"deepArchiveAfterDays": 90, "intelligentTiering": True}, "should be 0, or 180 to 730"),
        (
            {"archiveAfterDays": 200, "deepArchiveAfterDays": 180, "intelligentTiering": True},
            "should be less than deepArchiveAfterDays (180)",
        ),
        ({"catalogRetentionDays": 29}, "catalogRetentionDays = 29: should be 0, or 30 to 3650"),
        (
            {"catalogRetentionDays": 365, "uploadRetentionDays": 340},
            "catalogRetentionDays = 365: should be 0 (never) or at least 372",
        ),
        ({"catalogRetentionDays": 365, "rejectedRetentionDays": 340}, "at least 372: rejectedRetentionDays (340)"),
        (
            {"catalogRetentionDays": 365, "oldVersionRetentionDays": 0},
            "should be 0 (never), since uploadRetentionDays (7)",
        ),
        ({"catalogRetentionDays": 365, "uploadRetentionDays": 0}, "should be 0 (never), since uploadRetentionDays (0)"),
        (
            {"functionMemoryMb": 225},
            "should be at least 226 for requests to the API: raise it, or lower apiMaxBodyBytes (4194304)",
        ),
        ({"tags": ["Owner=me"]}, "'Owner' is a tag that every resource has already"),
        ({"tags": ["owner=me"]}, "'owner' is a tag that every resource has already"),
        ({"tags": ["Team=a", "team=b"]}, "'team' is given twice"),
        ({"subnetIds": ["subnet-01234567"]}, "a function in a VPC needs both: set both, or none"),
        ({"jwtIssuer": "https://login.example.com"}, "needs jwtAudiences, since tokens are checked for both: set"),
        ({"readScope": "ask", "programClient": True}, "should be two scopes of one server"),
        ({"readersGroup": "writers"}, "should not be writersGroup too"),
        ({"readScope": "files/write"}, "should not be writeScope too"),
        ({"corsOrigins": ["*", "https://a.example"]}, "give it alone"),
        ({"alertEmails": ["a@b.example", "a@b.example"]}, "is given twice"),
    ],
)
def test_values_that_contradict_each_other_are_refused(overrides: Mapping[str, object], message: str) -> None:
    text = problem(overrides)

    assert message in text
    assert f"file-pipeline:{next(iter(overrides))}" in text


def test_the_largest_body_fits_into_the_memory() -> None:
    needed = load("dev", {"functionMemoryMb": 226}).settings.api_memory_mb
    small = {"functionMemoryMb": 128, "apiMaxBodyBytes": 128 * 1024, "apiMaxRecords": 1000}

    assert needed == 226
    assert load("dev", small).settings.api_memory_mb <= 128
    assert "should be at least 130" in problem({**small, "apiMaxBodyBytes": 256 * 1024})
    assert API_MAX_RECORD_BYTES == MAX_RECORD_BYTES, "two houses, one limit"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000/files", "http://localhost/", "https://example.com"])
def test_the_local_stage_may_deliver_on_this_machine(url: str) -> None:
    assert load("local", {"deliveryEndpoint": url}).settings.delivery_endpoint == url


@pytest.mark.parametrize("url", ["https://10.1.2.3/files", "https://192.168.0.1/", "https://localhost.example.com/"])
def test_a_stage_may_deliver_to_private_networks(url: str) -> None:
    assert load("prod", {"deliveryEndpoint": url}).settings.delivery_endpoint == url


def test_settings_of_a_delivery_that_is_not_there_may_be_anything() -> None:
    assert load("dev", {"deliveryRetrySeconds": 60}).settings.delivery_retry_seconds == 60


def test_all_problems_are_named_at_once() -> None:
    text = problem({"logLevel": "LOUD", "maxConcurrency": 1, "aws:region": "Frankfurt"})

    assert all(key in text for key in ("logLevel", "maxConcurrency", "aws:region"))


def test_nothing_is_declared_with_wrong_settings() -> None:
    with pytest.raises(SettingsError):
        declare("dev", overrides={"logLevel": "LOUD"})


@given(value=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_taken_or_refused_by_name(value: str) -> None:
    """No text, however odd, ends in anything but a value or an error that names the key."""
    refused = ""
    taken = 0
    try:
        taken = load("dev", {"functionMemoryMb": value}).settings.function_memory_mb
    except SettingsError as error:
        refused = str(error)
    assert 128 <= taken <= 10240 or "file-pipeline:functionMemoryMb" in refused
