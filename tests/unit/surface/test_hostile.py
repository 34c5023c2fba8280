"""What a stranger's pull request may hold. Where reading took the square of its length, these would not end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.surface.matrixone.grammar import productions
from orchestrator.surface.matrixone.operators import spoken
from orchestrator.surface.matrixone.registry import entries
from orchestrator.surface.matrixone.tables import variables
from orchestrator.surface.model import ChangedFile, Surface
from orchestrator.surface.targets import changed_text, targets


def test_a_name_that_can_be_cut_in_many_ways_is_cut_once() -> None:
    words = {"in", "to", "into", "a"}
    assert spoken("into" * 20 + "x", words) == ()
    assert spoken("into" * 20, words) == (" ".join(["into"] * 20),)
    assert spoken("inxinto", words) == ()


_COMMENTS = "/* " * 300_000
READERS: dict[str, tuple[Callable[[], object], object]] = {
    "comments": (lambda: changed_text(ChangedFile("a.go", added=(_COMMENTS,))), _COMMENTS[:-1]),
    "comment lines": (
        lambda: targets(Surface(), [ChangedFile("a.go", added=tuple(f"// {number}" for number in range(200_000)))]),
        [],
    ),
    "quotes": (lambda: len(productions('\n%%\na: "' + '\\"' * 300_000)), 1),
    "comments of a grammar": (lambda: len(productions(f"\n%%\na: {_COMMENTS}")), 1),
    "variables": (lambda: variables('\t"a": {\n' * 200_000), {}),
    "logic": (lambda: len(entries("\t\tfunctionId: A,\n" + "newOp: " * 20_000)), 1),
}


@pytest.mark.parametrize("kind", READERS)
def test_text_that_nothing_ends_is_read_once(kind: str) -> None:
    read, expected = READERS[kind]
    assert read() == expected
