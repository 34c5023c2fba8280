from __future__ import annotations

import pytest

from orchestrator.surface.comments import without_comments


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a // b */ c\nd", "a ,\nd"),
        ("a /* b\n// c */ d", "a , d"),
        ("a /*/ b */ c", "a , c"),
        ("a // b /* c\nd /* e */ f", "a ,\nd , f"),
        ("a /* b // c\n/* d", "a /* b ,\n/* d"),
        ("//", ","),
        ("", ""),
    ],
)
def test_comments_are_taken_out_and_one_that_nothing_ends_stays(text: str, left: str) -> None:
    assert without_comments(text, ",") == left
