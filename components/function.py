"""A Lambda function with a role, a log group and a recursion guard of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.encryption import Encryption
from components.iam import Statement, policy_document
from components.packaging import ARCHITECTURE, RUNTIME, Archive
from components.settings import StackSettings

INSIGHTS_LOG_GROUP = "/aws/lambda-insights"
"""Where the Lambda Insights extension writes; its name is fixed (Lambda Insights, Required permissions)."""


class Function(pulumi.ComponentResource):
    """One function: its role may do what `statements` say, write its own logs and send its traces, no more.

    Parameters
    ----------
    purpose
        What it does, in a word: the end of its name and the folder of its handler.
    code, layer_arn
        Its own code, and the shared layer.
    timeout_seconds
        Its time-out; None: the stage's.
    environment
        Its environment variables, on top of those that every function gets.
    statements
        What its role may do.
    key_services
        The services that use the stack's key in its name. Lambda, which keeps its environment, always does.
    reserved_concurrency
        Executions that the account keeps for it, and the most that it gets; 0: it shares with all others.

    Attributes
    ----------
    function, role, policy, log_group
        The resources that others depend on.
    """

    def __init__(
        self,
        name: str,
        *,
        purpose: str,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        code: Archive,
        layer_arn: pulumi.Input[str],
        environment: Mapping[str, pulumi.Input[str]],
        statements: Sequence[Statement],
        key_services: Sequence[str],
        timeout_seconds: int | None = None,
        reserved_concurrency: int = 0,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = stack.settings
        self.log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/lambda/{stack.prefix}-{purpose}",
            kms_key_id=encryption.key.arn,
            retention_in_days=settings.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[encryption]),
        )
        self.role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=policy_document(
                [
                    Statement(
                        sid="LambdaAssumes",
                        principals={"Service": "lambda.amazonaws.com"},
                        actions=["sts:AssumeRole"],
                        resources=[],
                    )
                ]
            ),
            opts=child,
        )
        insights = [settings.lambda_insights_layer_arn] if settings.lambda_insights_layer_arn else []
        self.policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=self.role.id,
            policy=policy_document(
                [
                    *statements,
                    encryption.use(["lambda", *key_services]),
                    _write_logs("WriteLogs", self.log_group.arn),
                    _send_traces(account),
                    *(_write_insights(account) if insights else []),
                ]
            ),
            opts=child,
        )
        self.function = aws.lambda_.Function(
            name,
            description=f"{purpose} function of {stack.prefix}",
            role=self.role.arn,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=f"{purpose}.handler.handler",
            code=pulumi.FileArchive(code.path),
            source_code_hash=code.sha256_base64,
            layers=[layer_arn, *insights],
            memory_size=settings.function_memory_mb,
            timeout=settings.function_timeout_seconds if timeout_seconds is None else timeout_seconds,
            # Reserved, 0 would mean that it never runs.
            reserved_concurrent_executions=reserved_concurrency or None,
            kms_key_arn=encryption.key.arn,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={
                    "POWERTOOLS_SERVICE_NAME": purpose,
                    "POWERTOOLS_METRICS_NAMESPACE": metrics_namespace(stack),
                    "POWERTOOLS_LOG_LEVEL": settings.log_level,
                    "STAGE": stack.stage,
                    **environment,
                }
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=self.log_group.name,
                # Powertools filters by the stage's level. Lambda's own filter stays below it: it takes metrics, which
                # are log lines without a level, for INFO, and would drop them.
                application_log_level="DEBUG" if settings.log_level == "DEBUG" else "INFO",
                system_log_level="INFO",
            ),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            # The first invocation must find its permissions and its log group.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.policy, self.log_group]),
        )
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion",
            function_name=self.function.name,
            recursive_loop="Terminate",
            opts=child,
        )
        self.register_outputs({"functionName": self.function.name, "functionArn": self.function.arn})


def metrics_namespace(stack: StackSettings) -> str:
    """Return the CloudWatch namespace of the stack's own metrics."""
    return f"{stack.project}/{stack.stage}"


def _write_logs(sid: str, log_group_arn: pulumi.Input[str]) -> Statement:
    return Statement(
        sid=sid,
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[pulumi.Output.concat(log_group_arn, ":log-stream:*")],
    )


def _write_insights(account: Account) -> list[Statement]:
    group = account.arn("logs", f"log-group:{INSIGHTS_LOG_GROUP}")
    # The extension makes the group, which all stacks of the account share, when it is not there.
    make_group = Statement(sid="MakeInsights", actions=["logs:CreateLogGroup"], resources=[group])
    return [make_group, _write_logs("WriteInsights", group)]


def _send_traces(account: Account) -> Statement:
    # X-Ray has no resource-level permission for these two (Service Authorization Reference, AWS X-Ray).
    return Statement(
        sid="SendTraces",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resources=["*"],
        conditions={"StringEquals": {"aws:RequestedRegion": account.region}},
    )
