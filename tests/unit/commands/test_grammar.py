from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.commands.grammar import VERBS, NotUnderstoodError, parse, seconds
from orchestrator.commands.neutral import neutral

RUN = "1123-9f8e7d6c"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("help", "help"),
        ("@MO Bot-less help", None),
        ("@MoBot status", "status"),
        ("状态 @MoBot", "status"),
        ("run 25057 ut\u2005@MoBot", "run 25057 ut"),
        ("＠MoBot　ＳＴＡＴＵＳ　１２", "status 12"),
        ("状态 12", "status 12"),
        ("状态12", "status 12"),
        ("取消订阅", "unsubscribe"),
        (f"取消 {RUN}", f"cancel {RUN}"),
        (f"撤销 {RUN} ut:pkg/a", f"cancel {RUN} ut:pkg/a"),
        (f"重跑 {RUN} 失败", f"rerun {RUN} failed"),
        (f"/retry {RUN.upper()}", f"rerun {RUN}"),
        ("运行 PR 12 单测", "run 12 ut"),
        ("run #012", "run 12"),
        ("run pr#12 bvt", "run 12 bvt"),
        ("失败 12", "failures 12"),
        ("quarantine TestA/b c 7d", "quarantine TestA/b c 7d"),
        ("why 12 select sum(a) from t", "why 12 select sum(a) from t"),
        ("subscribe", "subscribe"),
        ("订阅 全部", "subscribe all"),
        ("mute 2h", "mute 2h"),
    ],
)
def test_commands_are_understood_in_both_languages(text: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(NotUnderstoodError):
            parse(text)
    else:
        assert str(parse(text)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "@bot", "run", "run 12 34", "run all", "run 0", "run 12; rm -rf /", "run $(id)", "cancel ../../etc",
        "mute 7", "mute -1h", "quarantine TestA", "status 1 2 3", "drain a;b", "x" * 5000, "run 12\x00", "logs 12",
        "confirm x", "help me", "run １２ `id`",
    ],
)  # fmt: skip
def test_what_is_not_exactly_a_command_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError) as error:
        parse(text)
    assert error.value.nearest


def test_the_nearest_commands_are_named() -> None:
    with pytest.raises(NotUnderstoodError) as error:
        parse("statsu 12")
    assert error.value.nearest[0] == "status [RUN|PR]"


@pytest.mark.parametrize("text", ["run abc", "logs 12", "run 7 foo"])
def test_a_command_with_a_wrong_argument_is_told_as_it_was_written(text: str) -> None:
    with pytest.raises(NotUnderstoodError) as error:
        parse(text)
    assert error.value.message == text


def test_every_word_means_one_command() -> None:
    words = [word for verb in VERBS for word in (verb.name, *verb.also)]
    assert len(words) == len(set(words))
    assert all(any(not word.isascii() for word in verb.also) for verb in VERBS), "each has a Chinese word"


@settings(max_examples=300)
@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    for line in (text, f"run {text}", f"cancel {text} {text}", f"状态{text}"):
        try:
            command = parse(line)
        except NotUnderstoodError:
            continue
        assert str(parse(str(command))) == str(command), "a command's own words mean itself"


def test_durations_are_seconds() -> None:
    assert (seconds("90m"), seconds("2h"), seconds("7d")) == (5400, 7200, 604800)


def test_neutral_text_has_no_mention() -> None:
    assert "<@" not in neutral("<@all> hi")
