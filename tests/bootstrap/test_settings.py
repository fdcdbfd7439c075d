"""A wrong setting is refused before anything is declared, with its key, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from components.settings import SettingsError
from tests.bootstrap.account import SETTINGS, SUBJECT, bootstrap, config, run_main
from tests.conftest import ACCOUNT, REGION, run


def refusal(values: Mapping[str, object], aws: Mapping[str, object] | None = None) -> str:
    with pytest.raises(SettingsError) as error:
        run(config(values, aws), program=run_main)
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("subject", "repo:acme/*", "bootstrap:subject = 'repo:acme/*': should be what GitHub's tokens have"),
        ("subject", "repo:acme/files:environment:dev", "should be what GitHub's tokens have"),
        ("subject", "acme/files", "repo:OWNER@ID/REPOSITORY@ID"),
        ("subject", "repo:acme@1001/files", "should be what GitHub's tokens have"),
        ("subject", "repo:OWNER/REPOSITORY", "with your own names in the place of OWNER and REPOSITORY"),
        ("repositoryId", "2003", f"subject: {SUBJECT!r} is of repository 2002, but repositoryId is '2003'"),
        ("repositoryId", "files", "bootstrap:repositoryId = 'files': should be the repository's number"),
        ("githubProviderArn", "arn:aws:iam::1:oidc-provider/x", "should be empty or the ARN of the account's provider"),
        ("stages", [], "bootstrap:stages = []: List should have at least 1 item"),
        ("stages", ["Dev"], "bootstrap:stages[0] = 'Dev': should be the name of a stage"),
        ("stages", ["dev", "dev"], "'dev' is given twice"),
        ("stages", ["dev-eu", "dev"], "'dev' would have rights on 'dev-eu'"),
        ("stages", ["bootstrap"], "'bootstrap' begins as what is made here"),
        ("stages", ["bootstrap-x"], "'bootstrap-x' begins as what is made here"),
        ("stages", ["s" * 27], "should have 40 characters at most"),
        ("destroyableStages", ["test"], "destroyableStages: 'test' is not one of stages (dev, prod)"),
        ("iamPath", "pipelines", "should be / or begin and end with a slash"),
        ("kmsKeyArns", ["alias/x"], "should be empty or the ARN of a key"),
        (
            "stage",
            "dev",
            "bootstrap:stage = 'dev': is not a setting of this program; docs/deployment.md lists them all",
        ),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: object, said: str) -> None:
    assert said in refusal({**SETTINGS, key: value})


def test_a_subject_without_numbers_is_taken() -> None:
    assert bootstrap({"subject": "repo:acme/files"}).all("Role")


@pytest.mark.parametrize("key", ["stages", "subject", "repositoryId"])
def test_whom_to_trust_with_what_has_no_default(key: str) -> None:
    """A list that is there unseen would be replaced by the first stage that is added."""
    values = {name: value for name, value in SETTINGS.items() if name != key}

    assert f"bootstrap:{key}: is required" in refusal(values)


@pytest.mark.parametrize("accounts", [None, [], [ACCOUNT, "210987654321"]])
def test_it_is_for_one_account_and_says_which(accounts: object) -> None:
    aws = {"region": REGION} if accounts is None else {"region": REGION, "allowedAccountIds": accounts}

    assert "aws:allowedAccountIds: should be one account" in refusal(SETTINGS, aws)


def test_all_problems_are_named_at_once() -> None:
    said = refusal({"subject": "me"}, {"region": "moon"})

    assert said.startswith("wrong settings of account 'main':")
    for key in ("bootstrap:subject", "bootstrap:repositoryId", "aws:region"):
        assert key in said
