"""Drawings of how deep the intake is over time, as SVG that reads on light and on dark pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import pygal
from pygal.style import Style

# pygal leaves a finder of its plug-ins behind, whose old interface makes each later import warn.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

Points = Sequence[tuple[float, float]]

_GREY: Final = "#808890"
"""Has a contrast of more than 3 to white and to black alike."""

_LIVE: Final = re.compile("<!--.*?-->|<script.*?</script>", re.DOTALL)
"""What is another each day, and what a picture in a page does not run."""

_STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    foreground=_GREY,
    foreground_strong=_GREY,
    foreground_subtle=_GREY,
    font_family="sans-serif",
    guide_stroke_color=f"{_GREY}60",
    major_guide_stroke_color=f"{_GREY}60",
    opacity=".9",
    colors=("#2f81f7", "#d9730d", "#2da44e"),
)


def draw(name: str, title: str, x_title: str, y_title: str, lines: Mapping[str, Points]) -> str:
    """Return a drawing; the same numbers are always the same text.

    Parameters
    ----------
    name
        Names its parts: a page may have several.
    title, x_title, y_title
        What it shows.
    lines
        What each line is called, and its points.
    """
    chart = pygal.XY(
        title=title,
        x_title=x_title,
        y_title=y_title,
        style=_STYLE,
        js=(),  # nothing from elsewhere
        dots_size=1,
        legend_at_bottom=True,
        show_dots=False,
        explicit_size=True,
        width=800,
        height=420,
        disable_xml_declaration=True,
        include_x_axis=True,
    )
    chart.uuid = name
    for label, points in lines.items():
        chart.add(label, [(float(x), float(y)) for x, y in points])
    text = _LIVE.sub("", chart.render(is_unicode=True))
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1) + "\n"
