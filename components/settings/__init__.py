"""The stack's config as typed, checked values, grouped as the components are."""

from components.settings.aws import AwsSettings
from components.settings.loader import LOCAL_STAGE, SettingsError, StackSettings, load, parse
from components.settings.model import Settings

__all__ = ["LOCAL_STAGE", "AwsSettings", "Settings", "SettingsError", "StackSettings", "load", "parse"]
