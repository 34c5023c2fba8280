from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.plan import Reason
from orchestrator.planner.render.explain import explain, explain_text
from orchestrator.planner.render.markdown import code, explain_markdown, fenced, plan_markdown
from orchestrator.planner.render.text import plan_text
from tests.unit.planner.factories import make_plan

PLAN = make_plan("pkg/text/a.go", "pkg/plan/x.go")
EVIL = "pkg/plan/`|<b>@all[x](y)\x1b[31m\n.go"


def test_text_says_what_runs_and_why_what_it_costs_and_what_does_not_run() -> None:
    text = plan_text(PLAN)
    assert "rule pkg/plan/: pkg/plan/x.go" in text
    assert "Critical path:" in text
    assert "Not chosen, BVT: no evidence that the change reaches it (3): first, last, second" in text
    assert "nothing to run" in text
    assert plan_text(make_plan("x.c")).count("widened: no rule knows x.c") > 5


def test_text_shows_control_characters_as_escapes() -> None:
    text = plan_text(make_plan(EVIL, "\x1b]0;x\x07"))
    assert "\x1b" not in text
    assert "\\x1b[31m\\n.go" in text


def test_markdown_is_a_table_for_each_suite() -> None:
    text = plan_markdown(PLAN)
    assert "| UT | priority | time | why |" in text
    assert "| `bvt:cte` | high | 3 s | `rule pkg/plan/: pkg/plan/x.go` |" in text
    assert "<details><summary>Not chosen, BVT" in text


def test_markdown_keeps_names_inside_of_code_spans() -> None:
    text = plan_markdown(make_plan(EVIL, "lib/@someone/a.c"))
    assert "\x1b" not in text
    row = next(line for line in text.splitlines() if "bvt:cte" in line)
    assert "``rule pkg/plan/: pkg/plan/`\\|<b>@all[x](y)\\x1b[31m\\n.go" in row


@pytest.mark.parametrize("text", ["`", "``", "a`b", " x ", "", "a``b`"])
def test_a_code_span_is_fenced_by_more_backticks_than_it_holds(text: str) -> None:
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert span.endswith(fence)
    assert fence not in span[len(fence) : -len(fence)]


def test_markdown_of_a_huge_plan_fits_a_comment() -> None:
    plan = make_plan(*(f"lib/{'x' * 200}/{number}/a.go" for number in range(2000)))
    assert len(plan_markdown(plan)) < 65_536
    assert "more" in plan_markdown(plan)


def test_explain_says_why_each_test_was_chosen_or_not_and_what_it_costs() -> None:
    text = explain_text(PLAN)
    assert "bvt:cte: chosen, high, 3 s" in text
    assert "  because rules (1.00): rule pkg/plan/: pkg/plan/x.go" in text
    assert "bvt:first: not chosen (best evidence 0.00): no evidence that the change reaches it" in text
    assert "  skipped: profile toy has no category gone: nothing to run" in text


def test_explain_of_one_test_is_about_nothing_else() -> None:
    assert explain_text(PLAN, "bvt:first").splitlines() == [
        "bvt:first: not chosen (best evidence 0.00): no evidence that the change reaches it"
    ]
    answer = explain(PLAN, "bvt:join")
    assert [task["id"] for task in answer["tasks"]] == ["bvt:join"]
    assert answer["omitted"] == []
    assert answer["plan"] == PLAN.id


def test_explain_of_an_unknown_test_names_the_nearest() -> None:
    with pytest.raises(UnknownRunError, match="Did you mean 'bvt:join'"):
        explain_text(PLAN, "bvt:jion")


def test_why_a_test_was_left_out_cannot_leave_its_line() -> None:
    left = replace(PLAN.omitted[0], reason="x\n\n</summary>\x1b[2J")
    text = plan_markdown(replace(PLAN, omitted=(left,)))
    assert "\x1b" not in text
    assert "x\\n\\n&lt;/summary&gt;\\x1b[2J (1)</summary>" in text


def test_an_explanation_in_markdown_is_tables_of_what_each_strategy_saw() -> None:
    seen = (Reason("history", 0.25, "commit 1 touched it"), Reason("lexical", 0.1, "its path says first"))
    left = replace(PLAN.omitted[0], score=0.35, budget=0.1234, reasons=seen)
    lines = explain_markdown(replace(PLAN, omitted=(left, *PLAN.omitted[1:]))).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("#### `bvt:cte`: high, 3 s"))
    assert lines[place + 4] == "|  | `rules` | 1.00 | `rule pkg/plan/: pkg/plan/x.go` |"
    heads = [line for line in lines if line.startswith("#### `")]
    assert [line.split("`")[1] for line in heads] == [task.id for task in PLAN.tasks]
    place = next(place for place, line in enumerate(lines) if f":{left.name}`" in line)
    assert "(best evidence 0.35) | 12.4% | `history` | 0.25 | `commit 1 touched it` |" in lines[place]
    assert lines[place + 1] == "|  |  |  | `lexical` | 0.10 | `its path says first` |"
    assert len([line for line in lines if "no evidence that the change reaches it" in line]) == len(PLAN.omitted)
    assert len({line.count("|") for line in lines[place:] if line}) == 1  # whatever it holds, a row has six cells


def test_an_explanation_in_markdown_of_one_test_is_about_nothing_else() -> None:
    assert explain_markdown(PLAN, "bvt:cte").startswith("#### `bvt:cte`: high")
    assert "Not chosen" not in explain_markdown(PLAN, "bvt:cte")
    scripts = replace(
        PLAN, tasks=tuple(replace(t, reasons=(Reason("lexical", 0.5, "x", "a.sql"),)) for t in PLAN.tasks)
    )
    rows = explain_markdown(scripts, "bvt:cte").splitlines()[4:]
    assert rows == ["| `a.sql` | `lexical` | 0.50 | `x` |"]
    assert explain_markdown(PLAN, "bvt:first").splitlines()[-1].startswith("| `bvt:first` | ")
    with pytest.raises(UnknownRunError, match="Did you mean 'bvt:join'"):
        explain_markdown(PLAN, "bvt:jion")


def test_an_explanation_in_markdown_keeps_names_inside_of_code_spans() -> None:
    text = explain_markdown(make_plan(EVIL))
    assert "\x1b" not in text
    assert "| 1.00 | ``rule pkg/plan/: pkg/plan/`\\|<b>@all[x](y)\\x1b[31m\\n.go`` |" in text


def test_lines_in_a_fence_do_not_end_it() -> None:
    assert fenced("a\n```\nb\n") == "````\na\n```\nb\n````\n"
