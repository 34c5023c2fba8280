"""Pictures as SVG text: horizontal bars and lines over an axis, readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_INK, _GRID = "#57606a", "#8c959f55"
_COLOURS = ("#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df")
_WIDTH = 760


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """``rows`` are label, length and the words at its end; lengths share one scale from 0."""
    most = max((length for _, length, _ in rows), default=0.0) or 1.0
    body, y = [_text(10, 22, title, size=15)], 44
    for label, length, words in rows:
        width = max(1.0, (_WIDTH - 420) * length / most)
        body.append(_text(300, y + 12, _short(label), anchor="end"))
        body.append(f'<rect x="308" y="{y}" width="{width:.1f}" height="15" rx="2" fill="{_COLOURS[0]}"/>')
        body.append(_text(314 + width, y + 12, words))
        y += 21
    return _svg(y + 8, body)


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], x_label: str, y_label: str) -> str:
    """One line a series of points (x, y); both axes start at 0."""
    points = [point for line in series.values() for point in line]
    x_most = _round_up(max((x for x, _ in points), default=0.0))
    y_most = _round_up(max((y for _, y in points), default=0.0))
    left, top, width, height = 70, 40, _WIDTH - 100, 220
    body = [_text(10, 22, title, size=15), *_axes((left, top, width, height), x_most, y_most)]
    body.append(_text(left + width / 2, top + height + 36, x_label, anchor="middle"))
    body.append(_text(left, top - 6, y_label))
    for number, (name, line) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{left + width * x / x_most:.1f},{top + height * (1 - y / y_most):.1f}" for x, y in line)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        place = top + height + 58 + 18 * number
        body.append(f'<rect x="{left}" y="{place - 10}" width="12" height="12" fill="{colour}"/>')
        body.append(_text(left + 18, place, name))
    return _svg(top + height + 62 + 18 * len(series), body)


def _axes(frame: tuple[float, float, float, float], x_most: float, y_most: float) -> list[str]:
    left, top, width, height = frame
    drawn = []
    for step in range(5):
        x, y = left + width * step / 4, top + height * (1 - step / 4)
        drawn.append(f'<path d="M{left} {y:.1f}H{left + width}" stroke="{_GRID}"/>')
        drawn.append(_text(left - 6, y + 4, f"{y_most * step / 4:g}", anchor="end"))
        drawn.append(_text(x, top + height + 18, f"{x_most * step / 4:g}", anchor="middle"))
    return drawn


def _round_up(most: float) -> float:
    """An end for an axis of four parts that are easy to read."""
    if most <= 0:
        return 4.0
    unit = 10.0 ** math.floor(math.log10(most / 4))
    return 4 * unit * next(part for part in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if 4 * part * unit >= most * 0.9999)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="{_INK}">{escape(words)}</text>'


def _short(label: str) -> str:
    return label if len(label) <= 42 else f"…{label[-41:]}"


def _svg(height: float, body: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" font-family="sans-serif">'
    return "\n".join([head, *body, "</svg>", ""])
