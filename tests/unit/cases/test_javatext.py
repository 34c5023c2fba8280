from __future__ import annotations

import pytest

from orchestrator.cases.javatext import equals_ignore_case, lines, parse_int, split, trim


def test_trim_cuts_control_characters_and_keeps_other_blanks() -> None:
    assert trim("\x00\x1f \t a\u00a0 \x0b") == "a\u00a0"
    assert trim("\u3000") == "\u3000"
    assert trim("\ufeffa") == "\ufeffa"


def test_lines_end_at_lf_cr_and_crlf_and_nowhere_else() -> None:
    assert lines("a\nb\rc\r\nd") == ["a", "b", "c", "d"]
    assert lines("a\x0bb\x0cc\x85d\u2028e") == ["a\x0bb\x0cc\x85d\u2028e"]


def test_only_the_last_line_end_opens_no_line() -> None:
    assert lines("") == []
    assert lines("a\n") == ["a"]
    assert lines("a\n\n") == ["a", ""]


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("+7", 7), ("-7", -7), ("007", 7), ("2147483647", 2147483647)])
def test_whole_numbers(text: str, number: int) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize("text", ["", "+", " 7", "7 ", "1_0", "0x1", "1.0", "--1", "2147483648", "²"])
def test_what_is_no_32_bit_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no 32-bit"):
        parse_int(text)


def test_split_drops_empty_pieces_at_the_end_only() -> None:
    assert split("a,,b,,", ",") == ["a", "", "b"]
    assert split("", ",") == [""]
    assert split(",", ",") == []


def test_case_is_folded_character_by_character() -> None:
    assert equals_ignore_case("Sessioñ", "sESSIOÑ")
    assert equals_ignore_case("session", "\u017fession")  # long s
    assert not equals_ignore_case("straße", "STRASSE")
    assert not equals_ignore_case("a", "b")
