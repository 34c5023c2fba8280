from __future__ import annotations

from orchestrator.domain.shown import printable


def test_what_does_not_print_is_shown_as_an_escape() -> None:
    assert printable("a\x1b[31m\nb用\u202e\udcff") == "a\\x1b[31m\\nb用\\u202e\\udcff"
    assert printable("a\n\t\x1b", keep="\n\t") == "a\n\t\\x1b"
