"""All server gates together: expectations, duplicates of what was shortened."""

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.draft import files_of
from orchestrator.generate.executor import Answer
from orchestrator.generate.judged import on_server
from orchestrator.generate.terms import Terms
from orchestrator.generate.treecopy import TreeCopy
from tests.unit.generate.factories import CASES, ScriptedServer, make_draft, make_inputs

TERMS = Terms("matrixone", 60)
DRAFT = make_draft("create table t (a int)", "select a from t", "select a + 1 from t", "drop table t")


def told(line: str) -> None:
    assert line


def test_the_product_records_an_expectation_beside_the_script() -> None:
    trial = on_server([DRAFT], ScriptedServer({}), TERMS, Search(None), told)
    files = files_of(trial.kept, trial.expectations)
    assert sorted(files) == ["function/gen_1_01_x.result", "function/gen_1_01_x.test"]
    assert files["function/gen_1_01_x.result"].endswith("recorded\n")


def test_another_server_records_nothing() -> None:
    trial = on_server([DRAFT], ScriptedServer({}, version="10.11-MariaDB"), TERMS, Search(None), told)
    assert trial.kept
    assert not trial.expectations


def test_on_another_server_what_does_not_hold_is_left_out_too() -> None:
    server = ScriptedServer({}, version="10.11-MariaDB")
    server.differs[DRAFT.path] = [{2: "FAILED: row 1"}]
    trial = on_server([DRAFT], server, TERMS, Search(None), told)
    assert len(trial.kept[0].statements) == 3
    assert not trial.expectations


def test_a_statement_whose_expectation_does_not_hold_is_left_out() -> None:
    server = ScriptedServer({})
    server.differs[DRAFT.path] = [{2: "FAILED: row 1"}]
    trial = on_server([DRAFT], server, TERMS, Search(None), told)
    assert [one.sql for one in trial.kept[0].statements] == [
        "create table t (a int)",
        "select a from t",
        "drop table t",
    ]
    assert "select a + 1" not in trial.expectations[DRAFT.path]
    assert [one.gate for one in trial.dropped] == ["stable"]


def test_a_file_whose_expectation_never_holds_is_dropped() -> None:
    server = ScriptedServer({})
    server.differs[DRAFT.path] = [{0: "FAILED"}] * 5
    trial = on_server([DRAFT], server, TERMS, Search(None), told)
    assert not trial.kept
    assert not trial.expectations


def test_what_a_server_shortened_to_a_case_of_the_tree_is_dropped() -> None:
    copied = [one.rstrip(";") for one in CASES["function/ascii.sql"].strip().split(";\n")]
    extra = "select nope(b) from a1"
    server = ScriptedServer({extra: Answer(error="unknown function: nope")})
    draft = make_draft(*copied[:-1], extra, copied[-1])
    with TreeCopy() as copy:
        trial = on_server([draft], server, TERMS, Search(copy.at(make_inputs().library)), told)
    assert not trial.kept
    assert [one.gate for one in trial.dropped] == ["valid", "duplicate"]
