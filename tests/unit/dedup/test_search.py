"""What new scripts repeat: blocks, whole scripts, one another; and how redundant a tree is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.cases.corpus import Corpus
from orchestrator.cases.dedup_search import Finding, Search
from orchestrator.cases.redundancy import by_directory, families, groups, levels

OLD = """\
create table t (a int, b varchar(10));
insert into t values (12, 'x');
select a from t where a = 12 and b = 'x';
drop table t;
create table u (a bigint);
insert into u values (13);
select max(a), min(a) from u;
drop table u;
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    root = tmp_path / "cases"
    (root / "old").mkdir(parents=True)
    (root / "old" / "one.sql").write_text(OLD)
    (root / "old" / "other.sql").write_text("select count(*) from somewhere;\n")
    return Corpus.open(root, None)[0]


def _findings(corpus: Corpus | None, *texts: str, kinds: tuple[str, ...] = ("script", "block")) -> list[Finding]:
    search = Search(corpus)
    found: list[Finding] = []
    for number, text in enumerate(texts):
        found += search.look_up(search.read(text, f"new{number}.sql"))
    return [one for one in found if one.kind in kinds]


def test_a_renamed_script_is_a_duplicate_of_the_old_one(corpus: Corpus) -> None:
    [found] = _findings(
        corpus, OLD.replace("table t", "table tt").replace(" t ", " tt ").replace("from t\n", "from tt\n")
    )
    assert (found.kind, found.level, found.existing) == ("script", "shape", "old/one.sql")
    assert found.differs_in == ("names",)


def test_a_block_is_found_with_its_line(corpus: Corpus) -> None:
    text = "select 1 + 1 + 1;\n"
    text += "create table z (k bigint);\ninsert into z values (77);\nselect max(k), min(k) from z;\ndrop table z;\n"
    [found] = _findings(corpus, text)
    assert (found.kind, found.line, found.last_line, found.existing) == ("block", 2, 5, "old/one.sql:5")


def test_a_reordered_block_is_found(corpus: Corpus) -> None:
    block = OLD.split("create table u", maxsplit=1)[0]
    text = block.replace("a = 12 and b = 'x'", "b = 'x' and a = 12")
    [found] = _findings(corpus, text)
    assert (found.level, found.existing) == ("reorder", "old/one.sql:1")


def test_a_block_over_another_type_is_a_variant(corpus: Corpus) -> None:
    text = "create table u (a smallint);\ninsert into u values (13);\nselect max(a), min(a) from u;\ndrop table u;\n"
    assert all(not found.duplicate for found in _findings(corpus, text))


def test_clearing_away_is_no_test(corpus: Corpus) -> None:
    clearing = "drop table if exists aa;\ndrop table if exists bb;\ndrop database if exists cc;\n"
    new = "create table z (k bigint);\nselect k + 1 from z;\n" + clearing
    assert _findings(corpus, "create table z (k int);\nselect k - 1 from z;\n" + clearing, new) == []


def test_a_variant_says_what_differs(corpus: Corpus) -> None:
    text = "create table u (a bigint);\ninsert into u values (13);\nselect max(a), avg(a) from u;\ndrop table u;\n"
    [found] = _findings(corpus, text)
    assert (found.level, found.duplicate, found.existing) == ("near", False, "old/one.sql:5")
    assert found.differs_in == ("statement 3: avg( → min(",)


def test_statements_are_told_with_how_often_they_are_there(corpus: Corpus) -> None:
    [found] = _findings(corpus, "drop table something;\n", kinds=("statement",))
    assert (found.times, found.existing) == (2, "old/one.sql:4")


def test_new_scripts_are_compared_among_themselves_first(corpus: Corpus) -> None:
    new = "create table v (a double);\ninsert into v values (1.5);\nselect abs(a) from v;\n"
    [found] = _findings(corpus, new, re.sub(r"\bv\b", "w", new))
    assert (found.path, found.existing, found.kind) == ("new1.sql", "new0.sql", "script")


def test_a_batch_needs_no_tree() -> None:
    assert [found.existing for found in _findings(None, OLD, OLD)] == ["new0.sql"]


def test_another_session_is_another_test() -> None:
    text = "create table t (a int);\nbegin;\nselect * from t;\n"
    sessions = "create table t (a int);\n-- @session:id=1{\nbegin;\nselect * from t;\n-- @session}\n"
    assert _findings(None, text, sessions) == []


def test_a_script_does_not_repeat_itself(corpus: Corpus) -> None:
    search = Search(corpus)
    found = list(search.look_up(search.read(OLD, "x"), "old/one.sql"))
    assert found == []


def test_a_script_that_vanished_is_no_evidence(corpus: Corpus) -> None:
    (corpus.root / "old" / "one.sql").unlink()
    assert _findings(corpus, OLD) == []


def test_redundancy_groups_what_is_the_same_biggest_saving_first(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "a.sql").write_text(OLD)
    (tmp_path / "d" / "b.sql").write_text(OLD.replace("12", "45"))
    small = "create table q (a text);\nselect a from q;\nselect a, a from q;\n"
    (tmp_path / "c.sql").write_text(small)
    (tmp_path / "e.sql").write_text(small)
    corpus = Corpus.open(tmp_path, None)[0]
    found = groups(corpus)
    assert [(group.scripts, group.saving) for group in found] == [(("a.sql", "d/b.sql"), 8), (("c.sql", "e.sql"), 3)]
    assert [(one.kept, one.repeats, one.statements) for one in found[0].evidence] == [
        ("a.sql:1-4", "d/b.sql:1-4", 4),
        ("a.sql:5-8", "d/b.sql:5-8", 4),
    ]
    assert {level.name: (level.distinct, level.total) for level in levels(corpus)}["scripts, shape"] == (2, 4)
    assert by_directory(corpus)[0].name == "d"
    assert families(corpus, 1)[0].times == 4
