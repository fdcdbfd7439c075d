"""The program: settings, pipeline, exports."""

import pulumi

from components import settings
from components.pipeline import Pipeline
from tools import schemas

stack = settings.load()
schemas.check(stack)
pipeline = Pipeline(stack)
for name, value in pipeline.outputs.items():
    pulumi.export(name, value)
