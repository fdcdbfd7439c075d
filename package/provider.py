"""Hosts the component for Pulumi's engine, and refuses what the engine would drop."""

from __future__ import annotations

import json
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NotRequired, TypedDict

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider import main as serve_provider
from pulumi.provider.experimental.component import ComponentProvider

from components.settings import SettingsError
from package.file_pipeline import FilePipeline, check

NAME: Final = "file-pipeline"
TOKEN: Final = f"{NAME}:index:{FilePipeline.__name__}"
VERSION: Final = str(
    runpy.run_path(str(Path(__file__).resolve().parents[1] / "lambda_src" / "shared" / "version.py"))["VERSION"]
)
"""The functions' own, whose packages are not imported here."""


class PackageProvider(ComponentProvider):
    """Pulumi's host of components, which by itself drops arguments that it does not know."""

    def __init__(self) -> None:
        super().__init__([FilePipeline], NAME, version=VERSION)

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Create a component.

        Raises
        ------
        InputPropertiesError
            If an argument is unknown or wrong. All problems are named at once.
        """
        try:
            check(name, inputs)
        except SettingsError as error:
            raise InputPropertiesError(str(error), []) from error  # without a list, the SDK itself fails
        return super().construct(name, resource_type, inputs, options)


class Property(TypedDict):
    """An argument or an output, as the schema describes it."""

    description: str
    type: str
    plain: NotRequired[bool]


class Component(TypedDict):
    """The component, as the schema describes it: name → argument, and name → output."""

    inputProperties: dict[str, Property]
    properties: dict[str, Property]
    requiredInputs: NotRequired[list[str]]


class Schema(TypedDict):
    """The package's schema, as the engine gets it; of its parts, those that are read here."""

    resources: dict[str, Component]


def schema() -> Schema:
    """Return the package's schema, as Pulumi's analyzer makes it of the component."""
    document: Schema = json.loads(str(PackageProvider().schema))
    return document


def serve(arguments: Sequence[str]) -> None:
    """Answer the engine until it ends.

    Parameters
    ----------
    arguments
        What the engine starts the program with, its own address first.
    """
    serve_provider(PackageProvider(), list(arguments))
