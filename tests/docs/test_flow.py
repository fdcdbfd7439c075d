"""The picture of the flow: told in words too, readable in the dark, nothing outside of it."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from local.stack_config import ROOT

SVG: Final = "{http://www.w3.org/2000/svg}"
PICTURE: Final = ET.parse(ROOT / "docs" / "flow.svg").getroot()  # noqa: S314 - it is ours
WIDEST_CHARACTER: Final = 8.5
"""Of the largest text in use, in the picture's units; the mean is below it."""


def text_of(name: str) -> str:
    (found,) = PICTURE.findall(f"{SVG}{name}")
    return " ".join((found.text or "").split())


def test_it_is_told_in_words() -> None:
    ids = {part.get("id") for part in PICTURE if part.get("id")}

    assert PICTURE.get("role") == "img"
    assert set(str(PICTURE.get("aria-labelledby")).split()) == ids
    assert text_of("title")
    told = text_of("desc").lower()
    for part in (
        "bucket",
        "intake queue",
        "ingest",
        "catalog",
        "forward",
        "delivery",
        "endpoint",
        "api",
        "dead-letter",
    ):
        assert part in told, part


def test_every_colour_has_one_for_the_dark() -> None:
    style = text_of("style")
    light, _, dark = style.partition("@media (prefers-color-scheme: dark)")

    assert dark
    for rule in ("text", ".small", "rect", ".function", ".dead", ".outside", ".arrow", ".head"):
        assert f"{rule} {{" in light, rule
        assert f"{rule} {{" in dark, rule


def test_nothing_lies_outside() -> None:
    _, _, width, height = (float(number) for number in str(PICTURE.get("viewBox")).split())
    for text in PICTURE.iter(f"{SVG}text"):
        half = len(text.text or "") * WIDEST_CHARACTER / 2
        x, y = float(str(text.get("x"))), float(str(text.get("y")))
        if "start" not in str(text.get("class")):
            assert x - half >= 0, text.text
            assert x + half <= width, text.text
        assert 0 < y < height, text.text
    for box in PICTURE.iter(f"{SVG}rect"):
        x, y, w, h = (float(str(box.get(key))) for key in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
