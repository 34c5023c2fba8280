from __future__ import annotations

import pytest

from orchestrator.planner.globs import matches


@pytest.mark.parametrize(
    ("path", "patterns", "taken"),
    [
        ("README.md", ["*.md"], True),
        ("a/b/README.md", ["*.md"], True),
        ("a/README.mdx", ["*.md"], False),
        ("docs/a/b.png", ["docs/**"], True),
        ("docs", ["docs/**"], False),
        ("x/docs/a", ["docs/**"], False),
        ("x/docs/a", ["**/docs/**"], True),
        ("docs/a", ["**/docs/**"], True),
        ("a/b/c", ["a/*/c"], True),
        ("a/b/b/c", ["a/*/c"], False),
        ("LICENSE", ["LICENSE"], True),
        ("a.c", ["a?c"], True),
        ("a/c", ["a?c"], False),
        ("test/x.md", ["*.md", "!test/**"], False),
        ("test/x.md", ["!test/**", "*.md"], True),
        ("a+b.md", ["a+b.*"], True),
        ("new\nline.md", ["*.md"], True),
    ],
)
def test_patterns_mean_what_they_mean_to_gitignore(path: str, patterns: list[str], taken: bool) -> None:
    assert matches(path, patterns) is taken
