"""Why a record is rejected: for each fault the field, a word for programs, and a sentence for people."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct


class Rule(StrEnum):
    """What a record breaks."""

    REQUIRED = "required"
    """A field that must have a value has none."""
    UNKNOWN = "unknown"
    """The schema forbids fields that it does not name."""
    TYPE = "type"
    """The value is of another type."""
    FORMAT = "format"
    """The text is no date, time, duration or id as the field's type wants it."""
    RANGE = "range"
    """The number is too small or too large, or no multiple."""
    LENGTH = "length"
    """The text or the list is too short or too long."""
    PATTERN = "pattern"
    """The text does not match the schema's pattern."""
    CHOICE = "choice"
    """The value is none of those that are allowed."""
    SCHEMA = "schema"
    """A rule that the schema's own code checks: between fields, or of an exact number."""
    CELLS = "cells"
    """The row has more or fewer cells than the header."""
    SYNTAX = "syntax"
    """The record is no JSON, or no CSV."""
    ENCODING = "encoding"
    """The record is no UTF-8."""
    NESTING = "nesting"
    """Its values are nested too deeply."""


class Reason(Struct, frozen=True, gc=False):
    """One fault of a record.

    Parameters
    ----------
    field
        The field, as the file names it, with a dot or an index before what is nested; None: the record as a whole.
    rule
        What is broken.
    text
        The same in words, without the field.
    """

    field: str | None
    rule: Rule
    text: str

    def __str__(self) -> str:
        """Return field and text on one line."""
        return f"{'record' if self.field is None else self.field}: {self.text}"


class RecordError(msgspec.ValidationError):
    """A record that breaks a rule which msgspec does not know.

    Parameters
    ----------
    rule
        Which.
    text
        The same in words.
    """

    def __init__(self, rule: Rule, text: str) -> None:
        super().__init__(text)
        self.reason: Final = Reason(None, rule, text)


# The last place is msgspec's: what stands before it may quote the file, which may hold what looks like one.
_PLACED: Final = re.compile(r"(?P<text>.*) - at `\$(?P<place>.*)`", re.DOTALL)
_NAMED: Final = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
# How msgspec's sentences begin; what begins otherwise is the schema's own.
_SENTENCES: Final = {
    Rule.TYPE: r"Expected `[^`]*`, got ",
    Rule.LENGTH: r"Expected `\w+` of (?:at (?:least|most) )?length ",
    Rule.PATTERN: r"Expected `str` matching regex ",
    Rule.FORMAT: r"Expected `\w+` with (?:a|no) timezone|Invalid (?:RFC3339|ISO8601|UUID|base64|epoch)|Only units ",
    Rule.RANGE: r"Expected `(?:int|float)` (?:<|>|that's)|(?:\w+ )+(?:is )?out of range",
    Rule.CHOICE: r"Invalid (?:enum )?value ",
}
_RULES: Final = re.compile("|".join(f"(?P<{rule}>{sentence})" for rule, sentence in _SENTENCES.items()))


def explain(error: Exception) -> Reason:
    """Return which field breaks which rule, in words that need no knowledge of msgspec."""
    if isinstance(error, RecordError):
        return error.reason
    if isinstance(error, UnicodeDecodeError):
        return Reason(None, Rule.ENCODING, f"not UTF-8 at byte {error.start} of the record")
    if isinstance(error, RecursionError):
        return Reason(None, Rule.NESTING, "nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return _explain_sentence(str(error))
    return Reason(None, Rule.SYNTAX, f"not valid JSON: {str(error).removeprefix('JSON is malformed: ')}")


def _explain_sentence(sentence: str) -> Reason:
    placed = _PLACED.fullmatch(sentence)
    text, place = placed.groups() if placed else (sentence, "")
    named = _NAMED.fullmatch(text)
    if (
        placed and not named and (named := _NAMED.fullmatch(sentence))
    ):  # what looked like a place is in the field's name
        place = ""
    field = place.removeprefix(".") if place else None
    if named:
        field = named["name"] if field is None else f"{field}.{named['name']}"
        if named["fault"] == "missing required":
            return Reason(field, Rule.REQUIRED, "is missing")
        return Reason(field, Rule.UNKNOWN, "is not a field of this record type")
    rule = _RULES.match(text)
    text = text.replace("`", "")
    return Reason(field, Rule(str(rule.lastgroup)) if rule else Rule.SCHEMA, text[:1].lower() + text[1:])
