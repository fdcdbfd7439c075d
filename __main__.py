"""The program: settings, pipeline, exports."""

import pulumi

from components import settings
from components.pipeline import Pipeline

pipeline = Pipeline(settings.load())
for name, value in pipeline.outputs.items():
    pulumi.export(name, value)
