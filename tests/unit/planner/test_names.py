from __future__ import annotations

import pytest

from orchestrator.planner.names import clean, is_package_pattern, is_safe_path


@pytest.mark.parametrize("name", ["join", "a/b.sql", "用例/一.sql", "with space", ".", ".hidden/a"])
def test_plain_relative_paths_are_safe(name: str) -> None:
    assert is_safe_path(name)


@pytest.mark.parametrize(
    "name", ["", "/etc", "..", "a/../b", "a//b", "a/", "./a", "-x", "a\nb", "a\x00", "\u202eb", "\udc80"]
)
def test_everything_else_is_not(name: str) -> None:
    assert not is_safe_path(name)


@pytest.mark.parametrize("name", ["...", "pkg/...", "pkg/a", "."])
def test_package_patterns_end_in_dots_at_most_once(name: str) -> None:
    assert is_package_pattern(name)


@pytest.mark.parametrize("name", ["/...", "../...", "-mod=mod", "pkg/..//..."])
def test_package_patterns_stay_inside(name: str) -> None:
    assert not is_package_pattern(name)


def test_bytes_that_were_not_utf8_become_the_replacement_character() -> None:
    assert clean("a\udcffb") == "a\ufffdb"
