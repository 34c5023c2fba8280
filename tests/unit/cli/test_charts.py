"""Pictures are XML that a browser shows, whatever is drawn."""

from __future__ import annotations

from xml.dom.minidom import parseString

import pytest

from orchestrator.cli.charts import _round_up, bars, lines


def test_bars_share_one_scale_and_labels_are_text() -> None:
    picture = bars("Slowest <b>", [("ut:pkg/a", 10.0, "10 s"), ("bvt:<x>", 5.0, "5 s")])
    rects = parseString(picture).getElementsByTagName("rect")  # noqa: S318 - our own text
    widths = [float(rect.getAttribute("width")) for rect in rects]
    assert widths[0] == pytest.approx(2 * widths[1])
    assert "<b>" not in picture


def test_lines_are_drawn_for_each_series_and_nothing_is_no_fault() -> None:
    picture = lines("Load", {"a": [(0.0, 0.0), (24.0, 3.0)], "b": []}, "hour", "hosts")
    assert len(parseString(picture).getElementsByTagName("polyline")) == 2  # noqa: S318
    parseString(lines("Nothing", {}, "x", "y"))  # noqa: S318
    parseString(bars("Nothing", []))  # noqa: S318


def test_axes_end_at_numbers_that_are_easy_to_read() -> None:
    assert [_round_up(most) for most in (0.0, 7.0, 23.0, 24.0, 99.0, 1353.0)] == [4.0, 8.0, 24.0, 24.0, 100.0, 1600.0]
