"""What a company brings is of the stack's region, account and partition, and is written as AWS writes it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from components.settings import SettingsError, parse
from tests.components.test_settings import load, problem

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:operators"
INSIGHTS = "arn:aws:lambda:eu-central-1:580247275435:layer:LambdaInsightsExtension-Arm64:20"
BOUNDARY = "arn:aws:iam::123456789012:policy/company/boundary"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kmsKeyArn", KEY.replace("eu-central-1", "eu-west-1")),
        ("alarmTopicArns", [TOPIC.replace("eu-central-1", "eu-west-1")]),
        ("lambdaInsightsLayerArn", INSIGHTS.replace("eu-central-1", "eu-west-1")),
    ],
)
def test_what_is_in_another_region_than_the_stack_is_refused(key: str, value: object) -> None:
    text = problem({key: value}, "prod")

    assert f"file-pipeline:{key} = " in text
    assert "is in eu-west-1; should be in the stack's region, eu-central-1" in text


@pytest.mark.parametrize(("key", "value"), [("kmsKeyArn", KEY), ("permissionsBoundaryArn", BOUNDARY)])
def test_what_is_in_an_account_that_the_stack_may_not_be_in_is_refused(key: str, value: str) -> None:
    start = f"file-pipeline:{key} = '{value}': is in the account 123456789012; should be in the stack's, "

    assert f"{start}210987654321 or 310987654321" in problem(
        {key: value, "aws:allowedAccountIds": ["210987654321", "310987654321"]}, "prod"
    )
    assert f"{start}which may not be 123456789012" in problem(
        {key: value, "aws:forbiddenAccountIds": ["123456789012"]}, "prod"
    )


def test_a_policy_of_aws_and_topics_and_layers_of_other_accounts_are_taken() -> None:
    brought = {
        "permissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
        "alarmTopicArns": [TOPIC.replace("123456789012", "310987654321")],
        "lambdaInsightsLayerArn": INSIGHTS,
        "kmsKeyArn": KEY,
        "aws:allowedAccountIds": ["123456789012"],
    }
    assert load("prod", brought).settings.kms_key_arn == KEY


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"kmsKeyArn": KEY, "alarmTopicArns": [TOPIC.replace("eu-central-1", "eu-west-1")]},
            ":operators': is in the region eu-west-1, and kmsKeyArn in eu-central-1: both should be in the stack's",
        ),
        (
            {"lambdaInsightsLayerArn": INSIGHTS.replace("eu-central-1", "us-east-1"), "alarmTopicArns": [TOPIC]},
            "is in the region us-east-1, and alarmTopicArns in eu-central-1",
        ),
        (
            {"kmsKeyArn": KEY, "permissionsBoundaryArn": BOUNDARY.replace("123456789012", "210987654321")},
            "is in the account 210987654321, and kmsKeyArn in 123456789012",
        ),
    ],
)
def test_what_cannot_all_be_where_the_stack_is_is_refused_wherever_that_is(
    values: Mapping[str, object], reason: str
) -> None:
    """Another program gives its settings without its region and account."""
    with pytest.raises(SettingsError) as error:
        parse("uploads", "prod", values)

    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        *(
            ("kmsKeyArn", value, "should be empty or the ARN of a key, not of an alias")
            for value in (
                KEY.partition("key/")[0] + "key/-",
                KEY.partition("key/")[0] + "key/1234abcd",
                KEY.removesuffix("34567890ab"),
                KEY.partition("key/")[0] + "key/mrk-1234",
                KEY.upper(),
                KEY + "\n",
                KEY.replace("arn:aws:", "arn:aws-cn:"),
            )
        ),
        *(
            ("permissionsBoundaryArn", value, "should be empty or the ARN of a managed policy")
            for value in (
                "arn:aws:iam::123456789012:policy/*?",
                "arn:aws:iam::123456789012:policy/",
                "arn:aws:iam::123456789012:policy//boundary",
                "arn:aws:iam::123456789012:policy/a/",
                "arn:aws:iam::123456789012:policy/" + "x" * 129,
                "arn:aws:iam::12345:policy/boundary",
                "arn:aws:iam:eu-central-1:123456789012:policy/boundary",
                "arn:aws:iam::123456789012:role/boundary",
            )
        ),
        *(
            ("lambdaInsightsLayerArn", value, "should be empty or the versioned ARN of the LambdaInsightsExtension")
            for value in (
                INSIGHTS.replace("arn:aws:", "arn:aws-cn:"),
                INSIGHTS.replace("-Arm64", ""),
                INSIGHTS.removesuffix(":20"),
                INSIGHTS.replace(":20", ":0"),
            )
        ),
        ("alarmTopicArns", [TOPIC.replace("eu-central-1", "somewhere")], "should be the ARN of a standard topic"),
        *(
            ("jwtIssuer", value, "should be empty or the issuer's URL, such as https://login.example.com/tenant")
            for value in (
                "http://login.example.com",
                "http://localhost:8080/realm",
                "https://login.example.com?tenant=1",
                "https://login.example.com/?tenant=1",
                "https://login.example.com/#a",
                "https://login.example.com/#",
                "https://login.example.com ",
                "https://login.example.com/a\n",
                "https://user@login.example.com/",
                "https://login..example.com/",
                "https://login.example.com:99999/",
                "https://login.example.com/" + "x" * 2048,
            )
        ),
        *(
            (key, "x" * 300, "should have 1 to 128 characters of ASCII, no blank and no bracket")
            for key in ("readersGroup", "writersGroup", "readScope", "jwtGroupsClaim")
        ),
        ("readScope", "files/", "should have no quotation mark, and not end in a slash"),
        ("writeScope", 'files/"send"', "should have no quotation mark, and not end in a slash"),
        ("jwtAudiences", ["a b"], "should have 1 to 1024 characters of ASCII, and no blank"),
    ],
)
def test_what_aws_would_not_take_is_refused(key: str, value: object, message: str) -> None:
    text = problem({key: value}, "prod")

    assert f"file-pipeline:{key}" in text
    assert message in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"),
        ("permissionsBoundaryArn", "arn:aws:iam::123456789012:policy/a.b/c+d/Boundary_1@x"),
        ("readersGroup", "x" * 128),
    ],
)
def test_what_aws_takes_is_taken(key: str, value: str) -> None:
    assert load("prod", {key: value}).settings.model_dump(by_alias=True)[key] == value


@pytest.mark.parametrize("issuer", ["https://169.254.169.254/", "https://localhost/realm", "https://127.1/"])
def test_an_issuer_is_nothing_that_only_the_gateway_itself_reaches(issuer: str) -> None:
    brought = {"threatProtection": None, "jwtIssuer": issuer, "jwtAudiences": ["a"]}

    text = problem(brought, "prod")

    assert f"file-pipeline:jwtIssuer = '{issuer}': should be https://… and a host that the API reaches" in text


@pytest.mark.parametrize("issuer", ["https://tenant.eu.auth0.com/", "https://login.example.com:8443/a/v2.0"])
def test_an_issuer_is_taken_as_it_is_in_its_tokens(issuer: str) -> None:
    settings = load("prod", {"threatProtection": None, "jwtIssuer": issuer, "jwtAudiences": ["a"]}).settings

    assert settings.jwt_issuer == issuer
