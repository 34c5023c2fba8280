import json
from pathlib import Path

import pytest

from orchestrator.cases.dedup_search import Search
from orchestrator.domain.errors import UsageError
from orchestrator.generate.gates import static_gates
from orchestrator.generate.llm.answer import contribution_of, read_answer
from orchestrator.generate.llm.source import ModelSettings, ModelSource, model_from_environment
from orchestrator.generate.llm.standin import GOOD, KEY, StandIn
from orchestrator.generate.pipeline import Settings, make
from tests.require import require
from tests.unit.generate.factories import make_inputs


@pytest.fixture(autouse=True)
def _needs() -> None:
    require("openai")


def ask(standin: StandIn, **settings: object) -> tuple[ModelSource, list[str], list[str]]:
    """The source, what passed the gates, and what was said."""
    options = {"url": standin.url, "model": "m", "key": KEY, "seconds": 20.0, **settings}
    source = ModelSource(ModelSettings(**options))  # type: ignore[arg-type]
    brought = source.write(make_inputs(), "7")
    kept, _ = static_gates(brought.drafts, Search(None))
    return source, [draft.path for draft in kept], list(brought.notes)


@pytest.mark.parametrize("behaviour", ["good", "fenced"])
def test_a_good_answer_becomes_a_case(behaviour: str) -> None:
    with StandIn(behaviour) as standin:
        _, paths, notes = ask(standin)
    assert paths == ["function/gen_7_model_01_upper_edges.test"]
    assert not notes


def test_the_kinds_of_test_come_from_rules_and_model_alike_and_the_careful_state_stands() -> None:
    with StandIn("good") as standin:
        source = ModelSource(ModelSettings(standin.url, "m", KEY, 20.0))
        made = make(make_inputs(), Settings("7", 20, 0, "matrixone"), None, lambda _: None, source)
    states = {one.kind: (one.state, one.reason) for one in made.report.kinds}
    assert len(states) == 6
    assert states["big data"][0] == "needs attention"
    assert "the loop reads every row" in states["big data"][1]
    assert states["BVT"][0] == "covered"
    assert states["chaos"] == ("not related", "no changed file belongs to it")


def test_a_case_that_forgets_to_clean_up_is_ended_for_it() -> None:
    case = {"name": "a", "why": "b", "statements": ["set sql_mode = ''", "create table t (a int)", "select a from t"]}
    draft = contribution_of(read_answer(json.dumps({"cases": [case]})), "7", "function", ()).drafts[0]
    assert [one.sql for one in draft.statements[3:]] == ["drop table if exists t", "set sql_mode = default"]


def test_an_opinion_of_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tests\.0\.kind"):
        read_answer(GOOD.replace("big data", "smoke"))


def test_a_bad_answer_is_sent_back_with_what_is_wrong() -> None:
    with StandIn("repaired") as standin:
        source, paths, notes = ask(standin)
        sent = str(standin.requests[1]["messages"])
    assert len(paths) == 1
    assert source.asked == 2
    assert "refused" in notes[0]
    assert "Answer again" in sent


@pytest.mark.parametrize("behaviour", ["malformed", "truncated", "several", "path", "system"])
def test_an_answer_that_stays_bad_is_given_up_after_two_repairs(behaviour: str) -> None:
    with StandIn(behaviour) as standin:
        source, paths, notes = ask(standin)
    assert not paths
    assert source.asked == 3
    assert len(notes) == 3


@pytest.mark.parametrize("behaviour", ["drop", "directive"])
def test_what_policy_forbids_is_stopped_by_the_gates(behaviour: str) -> None:
    with StandIn(behaviour) as standin:
        _, paths, _ = ask(standin)
    assert not paths


def test_endless_text_is_cut() -> None:
    with StandIn("endless") as standin:
        _, paths, notes = ask(standin)
    assert not paths
    assert "longer than" in notes[0]


@pytest.mark.parametrize(("behaviour", "seconds"), [("slow", 1.0), ("refused", 20.0)])
def test_a_model_that_does_not_answer_is_said_and_stops_nothing(behaviour: str, seconds: float) -> None:
    with StandIn(behaviour) as standin:
        _, paths, notes = ask(standin, seconds=seconds)
    assert not paths
    assert "did not answer" in notes[0]


def test_the_same_question_is_asked_once(tmp_path: Path) -> None:
    with StandIn("good") as standin:
        ask(standin, cache=tmp_path)
        source, paths, _ = ask(standin, cache=tmp_path)
    assert source.asked == 0
    assert len(paths) == 1
    assert KEY not in "".join(file.read_text() for file in tmp_path.iterdir())


def test_the_key_is_shown_nowhere() -> None:
    with StandIn("good") as standin:
        _, _, notes = ask(standin, key="secret-of-mine")
    assert "secret-of-mine" not in f"{notes} {ModelSettings('u', 'm', 'secret-of-mine')!r}"
    assert "did not answer" in notes[0]


def test_a_model_must_be_named() -> None:
    with pytest.raises(UsageError, match="MO_TESTPLAN_LLM_URL"):
        model_from_environment({})
    assert GOOD.startswith("{")


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-3", "soon"])
def test_a_model_has_seconds_that_end(seconds: str) -> None:
    with pytest.raises(UsageError, match="MO_TESTPLAN_LLM_SECONDS"):
        model_from_environment({"MO_TESTPLAN_LLM_URL": "http://h/v1", "MO_TESTPLAN_LLM_SECONDS": seconds})


def test_an_empty_variable_of_a_model_is_one_that_is_not_set() -> None:
    empty = {f"MO_TESTPLAN_LLM_{name}": "" for name in ("MODEL", "KEY", "SECONDS", "CACHE")}
    source = model_from_environment({"MO_TESTPLAN_LLM_URL": "http://h/v1", **empty})
    assert source.settings == model_from_environment({"MO_TESTPLAN_LLM_URL": "http://h/v1"}).settings
