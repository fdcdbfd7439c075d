"""The component of the package."""

from collections.abc import Mapping

import pulumi
from pulumi.provider.experimental.util import camel_case

from components.pipeline import Pipeline, PipelineArgs
from components.settings import SettingsError, parse
from package.arguments import FilePipelineArgs
from tools import schemas

# Pulumi's analyzer reads this file: it takes no annotation that is a text, so there is no `from __future__` here; and it
# finds a description only as a text below its attribute.


class FilePipeline(pulumi.ComponentResource):
    """A file pipeline. AWS resources are called NAME-STACK-…; their tags are the default tags of the AWS provider."""

    bucket_name: pulumi.Output[str]
    """Name of the landing bucket."""
    bucket_arn: pulumi.Output[str]
    """ARN of the landing bucket."""
    bucket_url: pulumi.Output[str]
    """The landing bucket as s3://…"""
    key_id: pulumi.Output[str]
    """Id of the KMS key."""
    key_arn: pulumi.Output[str]
    """ARN of the KMS key. Whoever uploads needs kms:GenerateDataKey on it."""
    queue_url: pulumi.Output[str]
    """URL of the intake queue."""
    queue_arn: pulumi.Output[str]
    """ARN of the intake queue."""
    dead_letter_queue_url: pulumi.Output[str]
    """URL of the intake's dead-letter queue."""
    table_name: pulumi.Output[str]
    """Name of the catalog table."""
    ingest_function_name: pulumi.Output[str]
    """Name of the function that checks files."""
    ingest_function_arn: pulumi.Output[str]
    """ARN of the function that checks files."""
    secret_arn: pulumi.Output[str]
    """ARN of the secret with the credentials that your endpoint checks."""
    kept_versions: pulumi.Output[str]
    """How many old versions of each function `operate release` keeps."""
    release_application_name: pulumi.Output[str] | None
    """Name of CodeDeploy's application. With a release that shifts step by step."""
    reconcile_function_name: pulumi.Output[str] | None
    """Name of the function that searches for uploads whose event never came. With reconciliationHours."""
    reconcile_schedule_name: pulumi.Output[str] | None
    """Name of the schedule of that function. With reconciliationHours."""
    api_endpoint: pulumi.Output[str] | None
    """URL of the HTTP API. With api."""
    api_function_name: pulumi.Output[str] | None
    """Name of the API's function. With api."""
    api_function_arn: pulumi.Output[str] | None
    """ARN of the API's function. With api."""
    user_pool_id: pulumi.Output[str] | None
    """Id of the user pool. With api, without jwtIssuer."""
    user_pool_client_id: pulumi.Output[str] | None
    """Id of the client that people sign in with. With api, without jwtIssuer."""
    program_client_id: pulumi.Output[str] | None
    """Id of the client that programs sign in with. With programClient."""
    program_client_secret: pulumi.Output[str] | None
    """Secret of the client that programs sign in with; encrypted in the state. With programClient."""
    token_url: pulumi.Output[str] | None
    """URL where programs sign in. With programClient."""
    test_user_name: pulumi.Output[str] | None
    """Name of the test user. With testUser."""
    test_user_password: pulumi.Output[str] | None
    """Password of the test user; encrypted in the state. With testUser."""
    delivery_queue_url: pulumi.Output[str] | None
    """URL of the delivery queue. With deliveryEndpoint."""
    delivery_queue_arn: pulumi.Output[str] | None
    """ARN of the delivery queue. With deliveryEndpoint."""
    delivery_dead_letter_queue_url: pulumi.Output[str] | None
    """URL of the delivery's dead-letter queue. With deliveryEndpoint."""
    forward_function_name: pulumi.Output[str] | None
    """Name of the function that puts finished files into the delivery queue. With deliveryEndpoint."""
    forward_function_arn: pulumi.Output[str] | None
    """ARN of the function that puts finished files into the delivery queue. With deliveryEndpoint."""
    delivery_function_name: pulumi.Output[str] | None
    """Name of the function that posts finished files. With deliveryEndpoint."""
    delivery_function_arn: pulumi.Output[str] | None
    """ARN of the function that posts finished files. With deliveryEndpoint."""
    topic_arn: pulumi.Output[str] | None
    """ARN of the topic that alarms are published to. With alarms."""
    alarm_names: pulumi.Output[str] | None
    """Names of the alarms, separated by commas. With alarms."""
    alert_email_count: pulumi.Output[str] | None
    """How many addresses the alarms are sent to: those of alertEmails. With alarms."""
    dashboard_url: pulumi.Output[str] | None
    """URL of the dashboard. With dashboard."""

    def __init__(self, name: str, args: FilePipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("file-pipeline:index:FilePipeline", name, {}, opts)
        checked = check(name, {camel_case(argument): value for argument, value in args.items()})
        pipeline = Pipeline(f"{name}-{checked.stage}", checked, pulumi.ResourceOptions(parent=self))
        for attribute in self.__annotations__:
            setattr(self, attribute, pipeline.outputs.get(camel_case(attribute)))
        self.register_outputs(pipeline.outputs)


def check(name: str, values: Mapping[str, object]) -> PipelineArgs:
    """Return what a pipeline is made from: in its names, the component's stands in the place of the project's.

    Parameters
    ----------
    name
        The component's name.
    values
        Its arguments, by their names in the schema. Whole numbers may be floats: the engine hands them over so.

    Raises
    ------
    SettingsError
        If an argument is unknown, of the wrong type or out of bounds, or two contradict each other; or if a
        schema cannot be used.
    """
    known = {camel_case(argument) for argument in FilePipelineArgs.__annotations__}
    problems = [f"{key}: is not an argument" for key in sorted(set(values) - known)]
    problems += [f"{key}: should be a plain value, not an Output" for key, value in values.items() if _is_output(value)]
    if problems:
        raise SettingsError(f"wrong arguments of {name!r}:\n" + "\n".join(f"  {problem}" for problem in problems))
    stage = pulumi.get_stack()
    settings = parse(name, stage, {key: _as_whole_number(value) for key, value in values.items()})
    checked = PipelineArgs(project=name, stage=stage, settings=settings)
    schemas.check(checked)
    return checked


def _as_whole_number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_output(value: object) -> bool:
    """Whether a value, or one in a list, may not be known yet, or is secret: settings are neither."""
    return isinstance(value, pulumi.Output) or (isinstance(value, list) and any(map(_is_output, value)))
