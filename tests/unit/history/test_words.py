from __future__ import annotations

from orchestrator.history.text import TextIndex
from orchestrator.history.words import code_words, identifier_words, literals, path_words, text_words


def test_code_and_sql_meet_in_one_spelling() -> None:
    assert "intersectall" in identifier_words("IntersectAll")
    assert "intersectall" in text_words("select 1 INTERSECT ALL select 2")
    assert "groupconcat" in identifier_words("group_concat")
    assert "groupconcat" in text_words("select group_concat(a)")
    assert "intersectall" in path_words(["pkg/sql/colexec/intersectall/intersectall.go"])


def test_words_of_the_language_say_nothing() -> None:
    assert set(code_words(["if err != nil { return nil, err }", "createTable(x)"])) == {
        "create",
        "table",
        "createtable",
    }


def test_strings_of_code_are_found_with_their_escapes() -> None:
    assert literals(['x := "cannot drop \\"it\\"" + y', 'f("ab")']) == ['cannot drop \\"it\\"']


def test_text_ranks_the_document_with_the_rare_word_first_and_forgets_what_is_dropped() -> None:
    index = TextIndex()
    for number, text in enumerate(["alter table", "alter sequence", "alter view", "drop view"]):
        index.put(number, text_words(text))
    scores = index.scores({"alter": 1, "sequence": 1})
    assert max(scores, key=lambda number: scores[number]) == 1
    index.drop(1)
    assert 1 not in index.scores({"alter": 1, "sequence": 1})
    assert index.scores({"never": 1}) == {}
