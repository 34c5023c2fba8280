"""JUnit XML and SARIF: complete, well-formed whatever tests print, infrastructure apart from failures."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as Xml

import pytest

from orchestrator.domain.plan import Suite
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, TaskState
from orchestrator.service.reports.junit import junit_xml
from orchestrator.service.reports.sarif import sarif
from orchestrator.service.reports.source import Material, material
from orchestrator.service.service import Service
from tests.factories import make_plan, make_task
from tests.serving import end_run, play, start_run
from tests.unit.store.factories import make_summary
from tests.unit.store.factories import make_task as make_result

EVIL = "\x00\x1b[31m ]]> <b> & \ud800 \ufffe"


def made(service: Service) -> Material:
    run = start_run(service, make_plan([make_task("pkg/a", "ut-1"), make_task("pkg/b", "ut-2")]))
    cases = (
        CaseResult("TestBad", CaseStatus.FAILED, 0.5, f"boom {EVIL}", FailureKind.TEST, "pkg/a b/a_test.go", 7),
        CaseResult("TestGood", CaseStatus.PASSED, 0.25),
        CaseResult("TestSkipped", CaseStatus.SKIPPED),
    )
    play(service, run, {"ut:pkg/a": (TaskState.FAILED, cases), "ut:pkg/b": (TaskState.ERROR, ())})
    end_run(service, run)
    return material(service.reads, run)


def test_junit_counts_failures_and_infrastructure_apart(service: Service) -> None:
    root = Xml.fromstring(junit_xml(made(service)))  # noqa: S314 - our own
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    case = root.find("testsuite/testcase[@name='TestBad']")
    assert case is not None
    assert (case.get("file"), case.get("line"), case.get("classname")) == ("pkg/a b/a_test.go", "7", "ut:pkg/a")
    failure = case.find("failure")
    assert failure is not None
    assert (failure.text or "").startswith("boom ")


def test_sarif_has_a_result_for_each_failure_at_its_line(service: Service) -> None:
    document = sarif(made(service))
    (run,) = document["runs"]
    (result,) = run["results"]
    assert document["version"] == "2.1.0"
    assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "pkg/a%20b/a_test.go"}, "region": {"startLine": 7}}


@pytest.mark.parametrize(("category", "parts"), [("join", ("bvt:join#1", "bvt:join#2")), ("join#2", ("bvt:join#2",))])
def test_a_case_keeps_its_name_whichever_part_of_the_category_has_it(category: str, parts: tuple[str, ...]) -> None:
    case = CaseResult("select 1", CaseStatus.FAILED, message="no")
    summary = make_summary(tasks=tuple(make_result(part, TaskState.FAILED) for part in parts))
    tasks = [
        dataclasses.replace(make_task(), id=part, type=Suite.BVT, package=None, category=category) for part in parts
    ]
    found = Material(summary, make_plan(tasks), dict.fromkeys(parts, (case,)))
    root = Xml.fromstring(junit_xml(found))  # noqa: S314 - our own
    assert [suite.get("name") for suite in root] == list(parts)
    assert {one.get("classname") for one in root.iter("testcase")} == {f"bvt:{category}"}
    (run,) = sarif(found)["runs"]
    assert {row["ruleId"] for row in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["tool"]["driver"]["rules"] == [{"id": f"bvt:{category}"}]
