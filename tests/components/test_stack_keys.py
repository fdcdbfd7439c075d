"""Keys of the provider and of other namespaces, and the names of project and stack."""

from __future__ import annotations

from dataclasses import replace

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from components import settings
from components.settings import SettingsError
from tests.components.test_settings import load, problem, read
from tests.stage_files import stage_config


@pytest.mark.parametrize("key", ["aws:defaultTag", "aws:token", "aws:asumeRole"])
def test_a_provider_key_that_would_do_nothing_is_refused(key: str) -> None:
    text = problem({key: "value-to-hide"})

    assert f"{key}: is not a setting of this program" in text
    assert "value-to-hide" not in text


def test_tags_go_by_the_stacks_settings() -> None:
    assert "aws:defaultTags: the stack's settings owner, costCenter, backup and tags say" in problem(
        {"aws:defaultTags": '{"tags": {}}'}
    )


def test_a_role_to_assume_is_checked_part_by_part() -> None:
    role = "arn:aws:iam::123456789012:role/deploy"

    assert "aws:assumeRoles[0][roleArm]: is not a setting" in problem({"aws:assumeRoles": [{"roleArm": role}]})
    assert "aws:assumeRoles[0][roleArn] = 'deploy': should be the ARN of a role, such as" in problem(
        {"aws:assumeRoles": [{"roleArn": "deploy"}]}
    )


@pytest.mark.parametrize("key", ["accessKey", "secretKey", "insecure"])
def test_credentials_and_open_doors_only_on_this_machine(key: str) -> None:
    value = "true" if key == "insecure" else "value-to-hide"

    text = problem({f"aws:{key}": value, "aws:endpoints": [{"s3": "https://s3.example.com"}]})

    assert f"aws:{key}: only with endpoints that are all on this machine" in text
    assert "value-to-hide" not in text


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"])
def test_a_region_where_services_have_other_names_is_refused(region: str) -> None:
    assert f"aws:region = '{region}': should be a region of AWS's commercial partition" in problem(
        {"aws:region": region}
    )


@pytest.mark.parametrize("region", ["Frankfurt", "eu-central", "eu-central-1a", ""])
def test_a_region_that_is_none_is_shown(region: str) -> None:
    assert f"aws:region = '{region}': should be a region such as eu-central-1" in problem({"aws:region": region})


@pytest.mark.parametrize("account", [12345, "1234-5678-9012"])
def test_an_account_that_is_none_is_refused(account: object) -> None:
    text = problem({"aws:allowedAccountIds": [account]})

    assert f"aws:allowedAccountIds[0] = {account!r}: should be the 12 digits of an account's id, such as" in text


@pytest.mark.parametrize("ids", [[123456789012, "012345678901"], ["123456789012"]])
def test_an_account_may_be_written_as_the_cli_writes_it(ids: list[object]) -> None:
    assert load("dev", {"aws:allowedAccountIds": ids}).aws.allowed_account_ids == [str(one) for one in ids]


def test_a_renamed_project_says_what_to_do_with_its_settings() -> None:
    """The keys keep the old name: without a word the stack would be built from defaults, its data unprotected."""
    config = stage_config("prod")
    with pytest.raises(SettingsError) as error:
        read(replace(config, project="shipments"))

    text = str(error.value)
    assert "file-pipeline: (" in text
    for key in config.values:
        assert key.removeprefix("file-pipeline:") in text or key.startswith("aws:")
    assert "replace file-pipeline: by shipments: in Pulumi.prod.yaml" in text


@pytest.mark.parametrize("key", ["file-pipelin:owner", "azure:region", "owner:", ":owner"])
def test_a_key_that_nobody_reads_is_refused(key: str) -> None:
    text = problem({key: "value-to-hide"})

    assert f"{key.partition(':')[0]}: ({key.partition(':')[2]}): is not read by this program" in text
    assert "value-to-hide" not in text


@pytest.mark.parametrize("key", ["pulumi:tags", "pulumi:disable-default-providers"])
def test_what_pulumi_itself_reads_is_let_be(key: str) -> None:
    assert load("dev", {key: "[]"}).stage == "dev"


def test_a_key_of_the_provider_that_is_secret_is_refused_and_not_shown() -> None:
    runtime_config.set_all_config({}, secret_keys=["aws:httpProxy"])
    try:
        text = problem({"aws:httpProxy": "http://user:value-to-hide@proxy.example.com"})
    finally:
        runtime_config.set_all_config({}, secret_keys=[])

    assert "aws:httpProxy: would be in clear in the stack's state; give credentials by a profile" in text
    assert "value-to-hide" not in text


def test_a_setting_that_is_meant_to_be_secret_is_refused_and_not_shown() -> None:
    """The engine would take it for secret; the program would put it in clear into a function's environment."""
    runtime_config.set_all_config({}, secret_keys=["file-pipeline:deliveryEndpoint"])
    try:
        text = problem({"deliveryEndpoint": "https://example.com/?token=value-to-hide"})
    finally:
        runtime_config.set_all_config({}, secret_keys=[])

    assert "file-pipeline:deliveryEndpoint: would be in clear in the stack's state" in text
    assert "value-to-hide" not in text


def test_a_missing_region_is_named() -> None:
    config = stage_config("dev")
    pulumi.runtime.settings.configure(pulumi.runtime.settings.Settings(project=config.project, stack=config.stage))
    runtime_config.set_all_config({key: value for key, value in config.values.items() if key != "aws:region"})

    with pytest.raises(SettingsError, match="aws:region: is required"):
        settings.load()


@pytest.mark.parametrize("stage", ["Dev", "dev_1", "a" * 40])
def test_a_stack_name_that_cannot_name_a_bucket_is_refused(stage: str) -> None:
    config = stage_config("dev")
    pulumi.runtime.settings.configure(pulumi.runtime.settings.Settings(project=config.project, stack=stage))
    runtime_config.set_all_config(dict(config.values))

    with pytest.raises(SettingsError, match=stage):
        settings.load()
