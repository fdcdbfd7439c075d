"""What the first deployment to an account needs: run once, by somebody who administers it."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bootstrap import settings
from bootstrap.identity import github_provider
from bootstrap.roles import StageRoles, StageRolesArgs
from bootstrap.state import State, StateArgs
from components.provider import stack_provider

stack = settings.load()
provider = stack_provider(stack.prefix, stack.aws, stack.tags)
# Nothing goes by mistake, such as a stage's roles when its name is written over: whoever means it unprotects first.
opts = pulumi.ResourceOptions(providers=[provider], protect=True)
given = stack.settings

state = State(f"{stack.prefix}-state", StateArgs(description=f"Pulumi's state of {stack.pipeline}"), opts)
provider_arn = given.github_provider_arn or github_provider(f"{stack.prefix}-github", provider).arn
pulumi.export("backendUrl", pulumi.Output.concat("s3://", state.bucket.id, "?region=", stack.aws.region))
pulumi.export("secretsProvider", f"awskms://alias/{stack.prefix}-state?region={stack.aws.region}")
for stage in given.stages:
    roles = StageRoles(
        f"{stack.prefix}-{stage}",
        StageRolesArgs(
            pipeline=stack.pipeline,
            stage=stage,
            own_prefix=stack.prefix,
            state=state,
            provider_arn=provider_arn,
            subject=given.subject,
            repository_id=given.repository_id,
            iam_path=given.iam_path,
            kms_key_arns=given.kms_key_arns,
            destroyable=stage in given.destroyable_stages,
        ),
        opts,
    )
    pulumi.export(f"{stage}SecretsProvider", f"awskms://alias/{stack.prefix}-{stage}-secrets?region={stack.aws.region}")
    pulumi.export(f"{stage}PreviewRoleArn", roles.preview.arn)
    pulumi.export(f"{stage}DriftRoleArn", roles.drift.arn)
    pulumi.export(f"{stage}CheckRoleArn", roles.check.arn)
    pulumi.export(f"{stage}DeployRoleArn", roles.deploy.arn)
    pulumi.export(f"{stage}PermissionsBoundaryArn", roles.boundary.arn)
