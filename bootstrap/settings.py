"""What the bootstrap of an account is told, as typed, checked values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self, TypeAlias

import pulumi
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from components.settings import AwsSettings, SettingsError
from components.settings.loader import AWS_NAMESPACE, MAX_NAME_PREFIX, foreign_keys, read_group
from components.settings.values import Group, IamPath, KeyArn, Tag, check_once

OWN_NAME: Final = "bootstrap"
"""What stands in the place of a stage in the names of what is made here."""

PIPELINE: Final = Path(__file__).resolve().parents[1] / "Pulumi.yaml"
"""The project that is deployed, whose name every name of a stage begins with."""


_SUBJECT: Final = re.compile(r"repo:[\w.-]+(/[\w.-]+|@\d+/[\w.-]+@(?P<repository_id>\d+))")


def _stage(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", value):
        raise ValueError("should be the name of a stage: lower-case letters, digits and hyphens, such as dev")
    return value


def _subject(value: str) -> str:
    if not _SUBJECT.fullmatch(value) or value == "repo:OWNER/REPOSITORY":
        raise ValueError(
            "should be what GitHub's tokens have as the subject before the environment: repo:OWNER@ID/REPOSITORY@ID, "
            "or repo:OWNER/REPOSITORY for a repository made before July 2026, with your own names in the place of "
            "OWNER and REPOSITORY; no patterns"
        )
    return value


def _repository_id(value: str) -> str:
    if not re.fullmatch(r"\d+", value):
        raise ValueError("should be the repository's number, as `gh api repos/OWNER/REPOSITORY --jq .id` prints it")
    return value


def _provider_arn(value: str) -> str:
    if value and not re.fullmatch(r"arn:aws:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com", value):
        raise ValueError(
            "should be empty or the ARN of the account's provider, such as "
            "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        )
    return value


StageName: TypeAlias = Annotated[str, AfterValidator(_stage)]
Subject: TypeAlias = Annotated[str, AfterValidator(_subject)]
RepositoryId: TypeAlias = Annotated[str, AfterValidator(_repository_id)]
ProviderArn: TypeAlias = Annotated[str, AfterValidator(_provider_arn)]


class BootstrapSettings(Group):
    """The account's stages, and the repository that may deploy them."""

    listed_in: ClassVar[str] = "docs/deployment.md"

    stages: list[StageName] = Field(min_length=1, description="Stages that this account has.")
    subject: Subject = Field(
        description="What the subject of the repository's tokens begins with, before `:environment:`: "
        "repo:OWNER@ID/REPOSITORY@ID, or repo:OWNER/REPOSITORY for a repository made before July 2026."
    )
    repository_id: RepositoryId = Field(description="The repository's number, which no other ever has.")
    github_provider_arn: ProviderArn = Field(
        "", description="ARN of GitHub's identity provider, if the account has it already: it can have one only."
    )
    iam_path: IamPath = Field("/", description="The stages' iamPath: path of every role's name.")
    kms_key_arns: list[KeyArn] = Field([], description="Keys of your own that stages name in kmsKeyArn.")
    destroyable_stages: list[StageName] = Field(
        [],
        description="Stages whose deploy role may delete the objects in their buckets, as `pulumi destroy` does "
        "where retainData is false.",
    )
    owner: Tag = Field("platform", description="Value of the Owner tag.")
    cost_center: Tag = Field("shared", description="Value of the CostCenter tag.")

    @model_validator(mode="after")
    def _check_repository(self) -> Self:
        found = _SUBJECT.fullmatch(self.subject)
        number = found and found["repository_id"]
        if number and number != self.repository_id:
            raise ValueError(
                f"subject: {self.subject!r} is of repository {number}, but repositoryId is {self.repository_id!r}: no "
                "token would have both; take both from `gh api repos/OWNER/REPOSITORY`"
            )
        return self

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        check_once("stages", self.stages)
        for stage in self.stages:
            for other in self.stages:
                # What the pattern stage-* stands for would be another's too.
                if other.startswith(f"{stage}-"):
                    raise ValueError(f"stages: {stage!r} would have rights on {other!r}: their names begin alike")
            if f"{stage}-".startswith(f"{OWN_NAME}-"):
                raise ValueError(f"stages: {stage!r} begins as what is made here: no stage may be called so")
        unknown = sorted(set(self.destroyable_stages) - set(self.stages))
        if unknown:
            raise ValueError(f"destroyableStages: {unknown[0]!r} is not one of stages ({', '.join(self.stages)})")
        return self


class StackSettings(BaseModel):
    """All that the program is told.

    Attributes
    ----------
    pipeline
        Name of the pipeline's project, with which every name of a stage begins.
    account_name
        The stack: the name that the account goes by.
    """

    model_config = ConfigDict(frozen=True)

    pipeline: str
    account_name: str
    settings: BootstrapSettings
    aws: AwsSettings

    @property
    def prefix(self) -> str:
        """What every name of what is made here begins with."""
        return f"{self.pipeline}-{OWN_NAME}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every taggable resource carries."""
        return {
            "Environment": self.account_name,
            "Project": self.prefix,
            "ManagedBy": "Pulumi",
            "Owner": self.settings.owner,
            "CostCenter": self.settings.cost_center,
            "Backup": "false",
        }


def load() -> StackSettings:
    """Read and check the config of the current stack.

    Raises
    ------
    SettingsError
        If a key is unknown or missing, or a value is not allowed. All problems are named at once.
    """
    project, account_name = pulumi.get_project(), pulumi.get_stack()
    pipeline: str = yaml.safe_load(PIPELINE.read_text())["name"]
    problems = list(foreign_keys(project, account_name))
    settings = read_group(BootstrapSettings, project, problems)
    aws = read_group(AwsSettings, AWS_NAMESPACE, problems)
    if aws and len(aws.allowed_account_ids or []) != 1:
        problems.append(
            "aws:allowedAccountIds: should be one account, the one that this is for: "
            "pulumi config set --path 'aws:allowedAccountIds[0]' 123456789012"
        )
    problems += _too_long(project, pipeline, settings)
    if problems or settings is None or aws is None:
        raise SettingsError(
            f"wrong settings of account {account_name!r}:\n" + "\n".join(f"  {text}" for text in problems)
        )
    return StackSettings(pipeline=pipeline, account_name=account_name, settings=settings, aws=aws)


def _too_long(project: str, pipeline: str, settings: BootstrapSettings | None) -> Iterator[str]:
    for stage in settings.stages if settings else []:
        if len(f"{pipeline}-{stage}") > MAX_NAME_PREFIX:
            yield f"{project}:stages: '{pipeline}-{stage}' should have {MAX_NAME_PREFIX} characters at most"
