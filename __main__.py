"""The program: settings, pipeline, exports."""

import pulumi

from components import settings
from components.pipeline import Pipeline, PipelineArgs
from components.provider import stack_provider
from tools import schemas

stack = settings.load()
schemas.check(stack)
pipeline = Pipeline(
    stack.prefix,
    PipelineArgs(project=stack.project, stage=stack.stage, settings=stack.settings),
    pulumi.ResourceOptions(providers=[stack_provider(stack.prefix, stack.aws, stack.tags)]),
)
for name, value in pipeline.outputs.items():
    pulumi.export(name, value)
