"""What tests are told from outside reaches them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import HEARD

TESTS = Path(__file__).resolve().parents[2]


def test_every_variable_that_a_test_asks_the_shell_for_is_left_to_it() -> None:
    asked = {
        name
        for path in TESTS.rglob("*.py")
        for name in re.findall(r"os\.environ(?:\.get\(|\[)\"(MO_TESTPLAN_\w+)", path.read_text(encoding="utf-8"))
    }
    assert asked == HEARD
