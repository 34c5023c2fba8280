"""What holds of sameness whatever the SQL is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cases.dedup import compare_texts
from orchestrator.cases.fingerprint import fingerprint
from tests.unit.dedup.mutations import KEEPING, SCRIPTS, changes

_scripts = st.sampled_from(SCRIPTS)
_seeds = st.integers(0, 10**9)
_texts = st.text(alphabet=st.sampled_from("ab1'\"`\\;-/*#$@(),.= \n\t\0é\ud800{}<>!%_x0e+:&|select"), max_size=80)
_VOCABULARY = """
select insert into values as and or in ( ) , ; t a b 12 'x' from where group by limit set = .
"""
_words = st.lists(st.sampled_from(_VOCABULARY.split()), max_size=25).map(" ".join)
_contexts = st.sampled_from(["", "create table t (a int, b text)", "create table t (a bigint)"])


@given(_texts)
@settings(max_examples=300)
def test_everything_is_the_same_as_itself(text: str) -> None:
    verdict = compare_texts(text, text)
    assert verdict.duplicate
    assert verdict.level == "exact"


@given(_texts, _texts)
@settings(max_examples=300)
def test_sameness_has_no_direction(left: str, right: str) -> None:
    assert compare_texts(left, right).level == compare_texts(right, left).level


@given(_words, _words, _contexts, _contexts)
@settings(max_examples=300)
def test_sameness_has_no_direction_whatever_types_are_known(left: str, right: str, mine: str, yours: str) -> None:
    assert compare_texts(left, left, mine, mine).level == "exact"
    assert compare_texts(left, right, mine, yours).level == compare_texts(right, left, yours, mine).level


@given(_scripts, _seeds, _contexts, _contexts)
@settings(max_examples=100)
def test_reordering_has_no_direction_whatever_types_are_known(script: str, seed: int, mine: str, yours: str) -> None:
    edited = script
    for edit in KEEPING:
        edited = edit(edited, random.Random(seed))
    assert compare_texts(script, edited, mine, yours).level == compare_texts(edited, script, yours, mine).level


@given(_scripts, _seeds)
@settings(max_examples=200)
def test_edits_that_keep_the_meaning_keep_sameness(script: str, seed: int) -> None:
    generator = random.Random(seed)
    edited = script
    for edit in KEEPING:
        if generator.random() < 0.6:
            edited = edit(edited, generator)
    assert compare_texts(script, edited).duplicate, edited


@given(_scripts, _seeds)
@settings(max_examples=200)
def test_no_significant_change_is_missed_whatever_else_is_edited(script: str, seed: int) -> None:
    generator = random.Random(seed)
    edited = generator.choice(changes(script))
    for edit in KEEPING[3:]:
        if generator.random() < 0.5:
            edited = edit(edited, generator)
    assert not compare_texts(script, edited).duplicate, edited


@given(_scripts, _seeds)
@settings(max_examples=100)
def test_a_fingerprint_survives_names_case_and_space(script: str, seed: int) -> None:
    generator = random.Random(seed)
    edited = script
    for edit in KEEPING[3:]:
        edited = edit(edited, generator)
    assert fingerprint(script).shape == fingerprint(edited).shape
    assert fingerprint(script).bag == fingerprint(edited).bag


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_sample_has_changes_that_matter(script: str) -> None:
    assert changes(script)
