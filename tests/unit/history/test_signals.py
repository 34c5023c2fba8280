from __future__ import annotations

import pytest

from orchestrator.domain.change import FileLines
from orchestrator.history.because import Explainer
from orchestrator.history.casebook import Casebook
from orchestrator.history.facts import Facts, make_facts
from orchestrator.history.model import Model
from orchestrator.history.outlook import look
from orchestrator.history.past import DAY, Observed, Past
from orchestrator.history.question import Question
from orchestrator.history.signals import Signals, read_signals
from orchestrator.history.study import question_of
from tests.unit.history.product import PROFILE


def changed(path: str, function: str, line: str) -> Facts:
    package = path.rpartition("/")[0]
    return make_facts([path], {path: FileLines(added=[line.encode()])}, [f"{package}:{function}"])


def past_of(**commits: Facts) -> Past:
    """Commits, a day apart, each of which touched the category it is called after."""
    past = Past()
    for number, (category, facts) in enumerate(commits.items()):
        tokens = past.tokens(facts)
        past.learn(number * DAY, facts, tokens)
        observed = Observed(str(number) * 40, number * DAY, (), (category,), (), past.norms(tokens))
        past.remember(observed, tokens)
    return past


def change(past: Past, facts: Facts) -> None:
    """A change that touches no test."""
    past.learn(2 * DAY, facts, past.tokens(facts))


def signals_of(past: Past, facts: Facts) -> Signals:
    return read_signals(past, Casebook(), Question(facts, 9 * DAY))


def test_commits_whose_code_is_named_alike_are_alike_wherever_it_lies_and_whatever_its_lines_say() -> None:
    past = past_of(
        window=changed("pkg/old/frame.go", "buildWindow", "total := limit * rows"),
        network=changed("pkg/net/socket.go", "dial", "retry(backoff)"),
    )
    found = signals_of(past, changed("pkg/fresh/plan.go", "pushDownWindow", "seen[key] = struct{}{}")).categories
    assert found["said_max"].get("window", 0.0) > 0.0
    assert found["name_max"].get("window", 0.0) > 0.0
    assert "network" not in found["said_max"]
    assert "window" not in found["near_max"] | found["words_max"]


def test_commits_are_likest_when_lines_and_names_agree() -> None:
    past = past_of(
        names=changed("pkg/old/frame.go", "buildWindow", "total := limit * rows"),
        lines=changed("pkg/net/socket.go", "dial", "retry(backoff)"),
        both=changed("pkg/other/sort.go", "sortWindow", "retry(backoff)"),
    )
    said = signals_of(past, changed("pkg/fresh/plan.go", "pushDownWindow", "retry(backoff)")).categories["said_sum"]
    assert said["both"] > max(said["names"], said["lines"]) > 0.0


def test_of_a_large_change_all_words_measure_likeness_and_the_most_telling_are_asked_one_by_one() -> None:
    rare = " ".join(f"rare{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(120))
    past = past_of(long=changed("pkg/a/a.go", "first", rare), short=changed("pkg/b/b.go", "second", "common"))
    for _ in range(20):
        change(past, changed("pkg/b/b.go", "second", "common"))
    found = signals_of(past, changed("pkg/c/c.go", "third", f"{rare} common")).categories
    assert "short" in found["words_max"]
    assert "short" not in found["word_max"]


def test_names_that_are_alike_are_told_as_the_reason(model: Model) -> None:
    assert model.ranker is not None
    question = question_of(PROFILE, make_facts(["pkg/elsewhere/cursor_helper.go"], {}), model.time, model.code)
    outlook = look(model.ranker, model.past, model.book, question)
    told = {part.strategy: part.detail for part in Explainer(outlook).case("cursor/cursor_0")}
    assert "changed code whose names say cursor too, and touched this case" in told["history"]


def test_a_word_that_both_share_but_everybody_says_is_no_reason_where_names_are_alike(model: Model) -> None:
    past = past_of(
        window=changed("pkg/old/frame.go", "buildWindow", "total := limit * rows; common"),
        network=changed("pkg/net/socket.go", "dial", "retry(backoff); common"),
    )
    for _ in range(20):
        change(past, changed("pkg/b/b.go", "second", "common"))
    facts = changed("pkg/fresh/plan.go", "pushDownWindow", "seen[key] = 1; common")
    assert model.ranker is not None
    outlook = look(model.ranker, past, Casebook(), Question(facts, 9 * DAY))
    told = Explainer(outlook)._commit("said", 0)
    assert told.endswith("changed code whose names say window too")


def test_what_seldom_comes_with_tests_still_tells_which_when_it_does() -> None:
    """Of all changes of a file few touch tests; of those that do, all touch the same."""
    busy = changed("pkg/busy/busy.go", "spin", "turn(wheel)")
    past = past_of(first=busy, other=changed("pkg/net/socket.go", "dial", "retry(backoff)"))
    for _ in range(20):
        change(past, busy)
    found = signals_of(past, busy).categories
    assert found["file_max"]["first"] < 0.1
    assert found["file_given"]["first"] == pytest.approx(found["function_given"]["first"])
    assert found["file_given"]["first"] > 0.4
