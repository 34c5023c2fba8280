from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.notify.wecom.text import clip, neutral, size, split

ANY = st.text(st.characters())
WIDE = st.text(st.sampled_from("aé中😀\n"), max_size=400)


@given(WIDE, st.integers(4, 64))
def test_parts_join_to_the_whole_and_each_fits(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join(parts) == text
    assert all(size(part) <= limit for part in parts)
    assert all(parts) or parts == [""]


@given(WIDE, st.integers(4, 64))
def test_a_part_ends_with_its_line_or_is_as_full_as_characters_allow(text: str, limit: int) -> None:
    parts = split(text, limit)
    for part, following in itertools.pairwise(parts):
        assert part.endswith("\n") or ("\n" not in part and size(part) + size(following[0]) > limit)


def test_a_message_of_exactly_the_limit_is_one_part() -> None:
    assert split("中" * 1365 + "x") == ["中" * 1365 + "x"]
    assert list(map(size, split("中" * 1366))) == [4095, 3]


def test_a_limit_below_one_character_is_refused() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        split("x", 3)


@given(WIDE, st.integers(3, 64))
def test_a_clipped_text_fits_and_is_a_beginning(text: str, limit: int) -> None:
    short = clip(text, limit)
    assert size(short) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


@given(ANY, st.integers(1, 300))
def test_no_untrusted_text_keeps_a_power(text: str, limit: int) -> None:
    line = neutral(text, limit)
    assert len(line) <= limit
    assert not set(line) & set("<>@[]`\n\r\t")
    assert "://" not in line
    assert "**" not in line
    assert line[:1] not in tuple("#>*+-|=~ ")
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line)
    line.encode()


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<@all> wake up", "＜＠all＞ wake up"),
        ('<font color="info">passed</font>', '＜font color="info"＞passed＜/font＞'),
        ("[free money](https://evil.example)", "［free money］(https：//evil.example)"),
        ("see www.evil.example", "see www．evil.example"),
        ("# passed", "＃ passed"),
        ("> quoted\n# heading", "＞ quoted # heading"),
        ("a`b", "a＇b"),
        ("**bold** and count(*)", "＊＊bold＊＊ and count(*)"),
        ("\x1b[31mred\x1b[0m\x00\x07", "red"),
        ("abc\u202egnp.exe\u2066", "abcgnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("one\r\ntwo\u2028three\tfour", "one two three four"),
        ("bytes \udcff", "bytes \ufffd"),
        ("期望 3，实际 4", "期望 3，实际 4"),
        ("TestA/sub#01 pkg/a_b/c_test.go:12", "TestA/sub#01 pkg/a_b/c_test.go:12"),
    ],
)
def test_powers_are_taken_and_words_stay(hostile: str, harmless: str) -> None:
    assert neutral(hostile) == harmless


def test_megabytes_are_cut_before_they_are_looked_at() -> None:
    assert neutral("a" * 50_000_000, 10) == "aaaaaaaaa…"
