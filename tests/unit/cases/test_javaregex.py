from __future__ import annotations

import pytest

from orchestrator.cases.javaregex import EndlessRegexError, UnsupportedRegexError, compile_java, found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"a\[4,32,0\]", "➤ a[4,32,0]"), ("1$", "1\n"), ("1$", "1\r\n"), (r"(?<x>a)\k<x>", "aa"), (r"\Qa.b\E.", "a.bc"),
        ("(?i)abc", "ABC"), ("(?s)a.b", "a\nb"), ("(?m)^b$", "a\nb\nc"), (r"\p{Alpha}+\.", "ab."), ("[a&b]", "&"),
        ("[]a]", "]"), (r"\"x\"", '"x"'), (r"x\R", "x\r\n"), (r"\h", "\u00a0"), (r"a{2,}", "aa"), ("a++b", "aab"),
        (r"[\p{Digit}x]{3}", "1x2"), (r"(\d+)-\1", "7-7"),
    ],
)  # fmt: skip
def test_these_match(pattern: str, text: str) -> None:
    assert compile_java(pattern).search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a.b", "a\nb"),
        ("a.b", "a\u2028b"),
        ("1$", "1\n\n"),
        (r"\d", "٣"),
        (r"\w", "é"),
        (r"a\z", "a\n"),
        ("(?i)É", "é"),
    ],
)
def test_these_do_not_match_as_in_java(pattern: str, text: str) -> None:
    assert not compile_java(pattern).search(text)


@pytest.mark.parametrize(
    "pattern", ["(", "[", "*a", r"\y", "a{", "{1", "[a&&b]", "[a[b]]", r"\p{IsHan}", "a{2,1}", "(?u)a"]
)
def test_wrong_and_unknown_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedRegexError):
        compile_java(pattern)


@pytest.mark.parametrize(
    "pattern", ["a{2147483647}", "(?:ab{999}){99,}", r"(?:(?<x>\Qab\E){200}){100}", "a{000000000099999}", "a" * 30_000]
)
def test_a_pattern_that_would_take_all_memory_is_refused_at_once(pattern: str) -> None:
    with pytest.raises(UnsupportedRegexError, match="more than 20000 parts"):
        compile_java(pattern)


def test_a_pattern_of_many_small_repetitions_is_none_of_those() -> None:
    uuid = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    assert compile_java(f"^(?:{uuid};){{100}}.{{0,100000}}[{{2}}]*$")


def test_a_search_that_would_never_end_is_given_up() -> None:
    with pytest.raises(EndlessRegexError, match="backtracks"):
        found("(x+x+)+y", "x" * 5000, timeout=0.2)


def test_the_whole_text_or_a_part_of_it_is_looked_at() -> None:
    assert found("b+", "abbc")
    assert not found("b+", "abbc", whole=True)
    assert found("a.*c", "abbc", whole=True)
