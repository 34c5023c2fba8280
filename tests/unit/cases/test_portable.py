"""What every Python from 3.11.0 on reads alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: A possessive loop over a group: ``(?:a|b)*+``.
_LOOP = re.compile(r"\)[*+]\+|\)\{\d*,?\d*\}\+")


@pytest.mark.parametrize("room", ["orchestrator", "workers"])
def test_no_regular_expression_has_a_possessive_loop_over_a_group(room: str) -> None:
    """Python before 3.11.5 (Debian 12 has 3.11.2) matches it wrongly: write ``(?>(?:a|b)*)``; python/cpython#106052."""
    assert _LOOP.search(r"(?:a|b)*+")
    files = {path: path.read_text("utf-8") for path in (ROOT / room).rglob("*.py")}
    found = [f"{path}: {match[0]}" for path, text in files.items() for match in _LOOP.finditer(text)]
    assert found == []
