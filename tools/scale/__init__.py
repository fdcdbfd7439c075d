"""How far the pipeline goes: a model of its flow, checked against a burst on the local cloud, and docs/scale.md."""
