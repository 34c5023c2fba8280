"""JUnit XML as Jenkins, GitLab and GitHub actions read it: a suite a task, a case each.

A case of a part of a category is of the class of the category: what compares runs finds it whatever the parts are.

The dialect is that of https://github.com/testmoapp/junitxml. Infrastructure is an ``error``, never a ``failure``.
"""

from __future__ import annotations

import datetime
import re
from xml.etree import ElementTree as Xml

from orchestrator.domain.run import CaseResult, CaseStatus, TaskResult, TaskState
from orchestrator.service.reports.source import Material

#: What XML 1.0 cannot hold, escaped or not (section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = 16_000


def junit_xml(found: Material) -> bytes:
    """The document, UTF-8."""
    summary = found.summary
    root = Xml.Element("testsuites", name=_clean(f"{summary.profile} {summary.run}"))
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    wholes = found.wholes()
    for task in summary.tasks:
        suite = _suite(task, wholes[task.task], found.cases.get(task.task, ()), summary.created)
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    for name, number in totals.items():
        root.set(name, str(number))
    root.set("time", f"{summary.seconds:.3f}")
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(task: TaskResult, whole: str, cases: tuple[CaseResult, ...], created: float) -> Xml.Element:
    suite = Xml.Element("testsuite", name=_clean(task.task), time=f"{task.seconds:.3f}")
    suite.set("timestamp", datetime.datetime.fromtimestamp(created, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    if task.host:
        suite.set("hostname", _clean(task.host))
    for case in cases:
        suite.append(_case(whole, case))
    if task.state in (TaskState.ERROR, TaskState.LOST, TaskState.CANCELLED):  # the task itself, beside its cases
        _verdict(Xml.SubElement(suite, "testcase", name=_clean(task.task), classname=task.state.value), "error", task)
    elif task.state is TaskState.SKIPPED and not cases:
        _verdict(Xml.SubElement(suite, "testcase", name=_clean(task.task), classname="skipped"), "skipped", task)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return suite


def _verdict(element: Xml.Element, tag: str, task: TaskResult) -> None:
    Xml.SubElement(element, tag, message=_clean(task.message or task.state.value)[:1000])


def _case(whole: str, case: CaseResult) -> Xml.Element:
    element = Xml.Element("testcase", name=_clean(case.name), classname=_clean(whole), time=f"{case.seconds:.3f}")
    if case.file:
        element.set("file", _clean(case.file))
        if case.line:
            element.set("line", str(case.line))
    tags = {CaseStatus.FAILED: "failure", CaseStatus.ERROR: "error", CaseStatus.SKIPPED: "skipped"}
    if case.status in tags:
        first = case.message.partition("\n")[0]
        said = Xml.SubElement(element, tags[case.status], message=_clean(first)[:1000])
        if case.kind:
            said.set("type", case.kind.value)
        said.text = _clean(_body(case))[:_TEXT]
    return element


def _body(case: CaseResult) -> str:
    if case.expected is None and case.actual is None:
        return case.message
    return f"{case.message}\nexpected:\n{case.expected or '(nothing)'}\nactual:\n{case.actual or '(nothing)'}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
