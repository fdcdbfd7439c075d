"""Gradual releases: CodeDeploy shifts a function's alias to its newest version, and back when an alarm is raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.function import ALIAS, Function
from components.iam import RoleArgs, Statement, policy_document, service_role
from components.observability.alarm import Alarm


@dataclass(frozen=True, kw_only=True)
class ReleasedFunction:
    """A function whose alias is shifted.

    Parameters
    ----------
    purpose
        What it does, in a word: the name of its deployment group.
    function
        The function.
    alarms
        The alarms that roll its release back.
    """

    purpose: str
    function: Function
    alarms: Sequence[Alarm]


@dataclass(frozen=True, kw_only=True)
class ReleasesArgs:
    """How releases shift.

    Parameters
    ----------
    shift
        CodeDeploy's name of the shift, such as ``CodeDeployDefault.LambdaCanary10Percent5Minutes``.
    functions
        The functions.
    topic_arns
        Topics that hear of the alarms.
    role
        What a company asks of every role.
    """

    shift: str
    functions: Sequence[ReleasedFunction]
    topic_arns: Sequence[pulumi.Input[str]] = ()
    role: RoleArgs = field(default_factory=RoleArgs)


class Releases(pulumi.ComponentResource):
    """CodeDeploy's application, and a deployment group with alarms for each function.

    It shifts nothing by itself: ``operate release`` starts the deployments.

    Attributes
    ----------
    application
        The application.
    """

    def __init__(self, name: str, args: ReleasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Releases", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self.application = aws.codedeploy.Application(
            f"{name}-application", name=name, compute_platform="Lambda", opts=self._child
        )
        account = Account(self)
        role = service_role(
            name,
            "codedeploy",
            args.role,
            self._child,
            conditions={"StringEquals": {"aws:SourceAccount": account.id}},
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.id,
            policy=policy_document(_permissions([released.function for released in args.functions], account)),
            opts=self._child,
        )
        for released in args.functions:
            self._group(released, args, role, policy)
        self.register_outputs({"applicationName": self.application.name})

    def _group(
        self, released: ReleasedFunction, args: ReleasesArgs, role: aws.iam.Role, policy: aws.iam.RolePolicy
    ) -> None:
        alarms = [alarm.declare(self._name, args.topic_arns, self._child) for alarm in released.alarms]
        aws.codedeploy.DeploymentGroup(
            f"{self._name}-{released.purpose}",
            app_name=self.application.name,
            deployment_group_name=released.purpose,
            service_role_arn=role.arn,
            deployment_config_name=args.shift,
            deployment_style=aws.codedeploy.DeploymentGroupDeploymentStyleArgs(
                deployment_option="WITH_TRAFFIC_CONTROL", deployment_type="BLUE_GREEN"
            ),
            alarm_configuration=aws.codedeploy.DeploymentGroupAlarmConfigurationArgs(
                enabled=True,
                alarms=[alarm.name for alarm in alarms],
                # What cannot be seen is not released.
                ignore_poll_alarm_failure=False,
            ),
            auto_rollback_configuration=aws.codedeploy.DeploymentGroupAutoRollbackConfigurationArgs(
                enabled=True, events=["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
            ),
            # The first deployment must find the permissions of the role.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _permissions(functions: Sequence[Function], account: Account) -> list[Statement]:
    """Return what CodeDeploy does with our functions, in place of AWS's own policy, which allows it with all."""
    aliases = [pulumi.Output.concat(function.arn, f":{ALIAS}") for function in functions]
    return [
        Statement(
            sid="ShiftAliases",
            actions=["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            resources=[*(function.arn for function in functions), *aliases],
        ),
        Statement(
            sid="ReadAlarms",
            actions=["cloudwatch:DescribeAlarms"],
            # It asks for several alarms at once, and is allowed to see them if it is allowed to see all.
            resources=[account.arn("cloudwatch", "alarm:*")],
        ),
    ]
