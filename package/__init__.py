"""The whole pipeline as a Pulumi package, for programs in any language."""
