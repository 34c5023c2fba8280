"""The stream of ``go test -json``: what real ones hold, older ones, damaged ones, forged ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.domain.run import CaseStatus, FailureKind
from tests.unit.workers.support import Record, go_module
from workers.process import Reason
from workers.suites import gotest
from workers.suites.gobuild import BuildLog
from workers.suites.gooutput import TestOutput, seconds_of
from workers.suites.gotest import GoTestStream

PACKAGE = "example.com/m/a"


class Clock:
    """Seconds pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A stream fed with short events."""

    def __init__(self, tree: Path) -> None:
        go_module(tree, {"a/a.go": "", "a/a_test.go": "", "b/b.go": ""})
        self.record = Record()
        self.clock = Clock()
        self.stream = GoTestStream(self.record.cases.append, self.record.lines.append, tree, self.clock)

    def event(self, action: str, test: str = "", package: str = PACKAGE, **more: object) -> None:
        self.stream.stdout(
            json.dumps({"Action": action, "Package": package, **({"Test": test} if test else {}), **more})
        )

    def say(self, text: str, test: str = "", package: str = PACKAGE) -> None:
        for line in text.splitlines():
            self.event("output", test, package, Output=line + "\n")

    def build(self, text: str, path: str) -> None:
        for line in text.splitlines():
            self.stream.stdout(json.dumps({"Action": "build-output", "ImportPath": path, "Output": line + "\n"}))

    def status(self) -> dict[str, str]:
        return {case.name: str(case.kind or case.status) for case in self.record.cases}


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_passes_skips_and_failures_are_counted(told: Told) -> None:
    for name, action in (("TestA", "pass"), ("TestB", "skip"), ("TestC", "fail")):
        told.event("run", name)
        told.event(action, name, Elapsed=0.5)
    told.event("fail")
    assert told.status() == {"a.TestA": "passed", "a.TestB": "skipped", "a.TestC": "test"}
    assert [case.seconds for case in told.record.cases] == [0.5] * 3
    assert told.stream.counts[CaseStatus.FAILED] == 1
    assert told.stream.failed_tests == {"a": {"TestC"}}


def test_subtests_whose_long_names_begin_alike_stay_two(told: Told) -> None:
    for end, action in (("= 1", "pass"), ("= 2", "fail")):
        told.event("run", f"TestSql/{'select_' * 100}{end}")
        told.event(action, f"TestSql/{'select_' * 100}{end}")
    told.event("fail", "TestSql")
    told.event("fail")
    names = [case.name for case in told.record.cases]
    assert len(set(names)) == 3
    assert all(len(name) <= gotest.NAME_LIMIT for name in names)


def test_build_errors_of_go_before_1_24_come_as_text(told: Told) -> None:
    """Recorded from Go 1.21: compiler output on standard error, the verdict as an output event."""
    for line in ("# example.com/m/a [example.com/m/a.test]", "a/a.go:1:23: undefined: x", "go: done"):
        told.stream.stderr(line)
    told.event("start")
    told.say("FAIL\texample.com/m/a [build failed]")
    told.event("fail", Elapsed=0)
    told.stream.stdout("FAIL\texample.com/m/b [setup failed]")
    case = told.record.named("a")
    assert (case.kind, case.message, case.file, case.line) == (
        FailureKind.BUILD,
        "a/a.go:1:23: undefined: x",
        "a/a.go",
        1,
    )
    assert told.record.named("b").kind is FailureKind.BUILD


def test_a_package_without_test_files_is_skipped(told: Told) -> None:
    told.say("?   \texample.com/m/a\t[no test files]")
    told.event("skip")
    told.stream.stdout("?   \texample.com/m/b\t[no test files]")
    assert told.status() == {"a": "skipped", "b": "skipped"}
    assert told.stream.packages == 0


def test_a_package_whose_tests_match_nothing_says_so(told: Told) -> None:
    told.say("testing: warning: no tests to run")
    told.event("pass")
    assert told.record.named("a").message == "no tests to run"


TIMEOUT = """panic: test timed out after 1m0s
\trunning tests:
\t\tTestFast (100ms)
\t\tTestSlow (1m0s)
\t\tTestSlow/deep (59s)

goroutine 6 [running]:"""


def test_a_timeout_is_blamed_on_the_test_that_ran_longest(told: Told) -> None:
    for name in ("TestSlow", "TestSlow/deep", "TestFast", "TestPaused"):
        told.event("run", name)
    told.event("pause", "TestPaused")
    told.say(TIMEOUT, "TestFast")
    told.event("fail")
    assert told.status() == {
        "a.TestSlow": "timeout",
        "a.TestSlow/deep": "timeout",
        "a.TestFast": "skipped",
        "a.TestPaused": "skipped",
    }


def test_at_our_deadline_the_oldest_package_and_test_answer(told: Told) -> None:
    told.event("run", "TestOld")
    told.clock.now += 10
    told.event("run", "TestNew")
    told.event("run", "TestOther", package="example.com/m/b")
    told.clock.now += 10
    told.stream.finish(Reason.DEADLINE, "no end within 20 s")
    assert told.status() == {"a.TestOld": "timeout", "a.TestNew": "skipped", "b.TestOther": "skipped"}
    assert told.record.named("a.TestOld").seconds == 20
    assert told.record.named("a.TestOld").message == "no end within 20 s"


@pytest.mark.parametrize(
    ("reason", "kinds"),
    [
        (Reason.DEADLINE, {"a.TestOom": "abnormal", "b.TestSlow": "timeout"}),
        (Reason.CANCELLED, {"a.TestOom": "abnormal"}),
        (Reason.EXITED, {"a.TestOom": "abnormal", "b.TestSlow": "abnormal"}),
    ],
)
def test_a_binary_that_our_signal_ended_before_go_itself(told: Told, reason: Reason, kinds: dict[str, str]) -> None:
    """``go test`` still tells of it, as of any binary that a signal ended."""
    for test, package in (("TestOom", PACKAGE), ("TestSlow", "example.com/m/b")):
        told.event("run", test, package)
        told.clock.now += 10
        told.say("signal: killed" if package == PACKAGE else "signal: terminated", test, package)
        told.say(f"FAIL\t{package}\t10.0s", "", package)
        told.event("fail", package=package, Elapsed=10)
    told.clock.now += 0.2
    told.stream.finish(reason, "no end within 20 s", stopping=0 if reason is Reason.EXITED else 0.3)
    assert told.status() == kinds


def test_a_package_that_hangs_outside_of_its_tests_answers_itself(told: Told) -> None:
    told.event("start")
    told.stream.finish(Reason.DEADLINE, "no end within 20 s")
    assert told.record.named("a").kind is FailureKind.TIMEOUT


def test_after_a_cancel_nothing_is_blamed(told: Told) -> None:
    told.event("run", "TestA")
    told.stream.finish(Reason.CANCELLED, "cancelled")
    assert told.record.cases == []


def test_a_race_outside_of_tests_fails_the_package(told: Told) -> None:
    told.event("run", "TestA")
    told.event("pass", "TestA")
    told.say("testing: race detected outside of test execution\nFAIL")
    told.event("fail")
    assert told.status() == {"a.TestA": "passed", "a": "race"}


def test_a_panic_after_a_failed_test_is_told_too(told: Told) -> None:
    told.event("run", "TestA")
    told.event("fail", "TestA")
    told.say("panic: in TestMain\n\ngoroutine 1 [running]:\nmain.main()")
    told.event("fail")
    assert told.status() == {"a.TestA": "test", "a": "panic"}


def test_failed_subtests_come_before_their_parents_and_are_named(told: Told) -> None:
    for name in ("TestA", "TestA/x", "TestA/x/y"):
        told.event("run", name)
    told.say("    a_test.go:1: bad", "TestA/x/y")
    for name in ("TestA/x/y", "TestA/x", "TestA"):
        told.event("fail", name)
    assert [case.name for case in told.record.cases] == ["a.TestA/x/y", "a.TestA/x", "a.TestA"]
    assert told.record.named("a.TestA").message == "subtest failed: TestA/x/y, TestA/x"


def test_what_is_no_event_is_only_logged(told: Told) -> None:
    for line in (
        "",
        "{",
        "{}",
        "[1]",
        '{"Action": 3}',
        '{"Action": "fail"}',
        "null",
        "{" * 5000,
        '{"Action":"pass","Package":""}',
    ):
        told.stream.stdout(line)
    told.event("run", "TestA", Elapsed="NaN")
    told.event("pass", "TestA", Elapsed="x")
    assert told.status() == {"a.TestA": "passed"}


def test_a_verdict_cannot_be_changed_after_the_package_has_ended(told: Told) -> None:
    told.event("run", "TestA")
    told.event("fail", "TestA")
    told.event("fail")
    told.event("pass", "TestA")
    told.event("pass")
    assert told.status() == {"a.TestA": "test"}


def test_names_and_messages_are_tamed(told: Told) -> None:
    told.event("run", "Test\n\x1b" + "x" * 1000)
    told.event("fail", "Test\n\x1b" + "x" * 1000)
    name = told.record.cases[0].name
    assert len(name) == 400
    assert name.startswith("a.Test??x")


def test_a_package_of_another_module_keeps_its_name(told: Told) -> None:
    told.event("pass", package="example.com/more/a")
    assert told.record.cases[0].name == "example.com/more/a"


def test_output_is_kept_at_both_ends() -> None:
    output = TestOutput()
    for number in range(10_000):
        output.add(f"line {number}")
    text = output.text()
    assert len(text) < 6500
    assert text.startswith("line 0\n")
    assert text.endswith("line 9999")
    assert "lines cut]" in text


def test_the_place_is_testifys_trace_before_the_last_log_line(tmp_path: Path) -> None:
    go_module(tmp_path, {"a/a_test.go": "", "a/b_test.go": ""})
    output = TestOutput()
    output.add("    b_test.go:7: just saying")
    output.add("    testing.go:1712: race detected during execution of test")
    assert output.place(tmp_path, tmp_path / "a") == ("a/b_test.go", 7)
    output.add(f"        \tError Trace:\t{tmp_path}/a/a_test.go:42")
    assert output.place(tmp_path, tmp_path / "a") == ("a/a_test.go", 42)


def test_a_place_outside_of_the_tree_is_not_told(tmp_path: Path) -> None:
    output = TestOutput()
    output.add("        \tError Trace:\t/etc/passwd.go:42")
    output.add("    nowhere.go:7: x")
    assert output.place(tmp_path, tmp_path) == (None, None)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("fatal error: all goroutines are asleep - deadlock!", FailureKind.PANIC),
        ("fatal error: concurrent map writes", FailureKind.PANIC),
        ("SIGABRT: abort", FailureKind.PANIC),
        ("panic: test timed out after 5s", FailureKind.TIMEOUT),
        ("    a_test.go:1: panic: not really", None),
    ],
)
def test_ways_to_die(line: str, kind: FailureKind | None) -> None:
    output = TestOutput()
    output.add(line)
    output.add("goroutine 1 gp=0xc000 [running]:")
    assert output.died is kind


def test_durations_of_go() -> None:
    assert [seconds_of(text) for text in ("1h2m3.5s", "250ms", "0s")] == [3723.5, 0.25, 0.0]


@pytest.mark.parametrize("seconds", ["1" + "0" * 400, "1e999", "-1", "NaN"])
def test_a_test_took_a_time_that_can_be_true(told: Told, seconds: str) -> None:
    told.stream.stdout(f'{{"Action": "fail", "Package": "{PACKAGE}", "Test": "TestA", "Elapsed": {seconds}}}')
    told.event("fail")
    assert 0 <= told.record.named("a.TestA").seconds <= 1e6


def test_numbers_that_no_program_would_print_are_no_error(told: Told) -> None:
    told.event("run", "TestA")
    told.say(f"    a_test.go:{'9' * 5000}: no such line", "TestA")
    told.say("panic: test timed out after 1s\nrunning tests:\n\t\tTestA (1.2.3s)\n\t\tTestA (1.5s)", "TestA")
    told.event("fail", "TestA")
    told.event("fail")
    assert told.status() == {"a.TestA": "timeout"}


def test_tests_that_were_made_up_take_no_memory_without_end(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gotest, "OPEN_LIMIT", 3)
    for number in range(9):
        told.event("run", f"Test{number}")
    told.stream.finish(Reason.DEADLINE, "too late")
    assert [case.name for case in told.record.cases] == ["a.Test0", "a.Test1", "a.Test2"]


def test_packages_that_were_made_up_take_no_memory_without_end(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gotest, "OPEN_LIMIT", 3)
    for number in range(9):
        told.event("fail", package=f"example.com/m/{number}")
        told.stream.stdout(f"FAIL\texample.com/m/plain{number} [build failed]")
        told.stream.stdout(f"?   \texample.com/m/empty{number}\t[no test files]")
    assert len(told.record.cases) == 3


@pytest.mark.parametrize("line", [f"FAIL\t{PACKAGE} [build failed]", f"?   \t{PACKAGE}\t[no test files]"])
def test_a_package_has_one_verdict_however_often_it_is_said(told: Told, line: str) -> None:
    for _ in range(3):
        told.stream.stdout(line)
    assert len(told.record.cases) == 1


def test_what_is_said_of_packages_that_were_made_up_takes_no_memory_without_end() -> None:
    log, path = BuildLog(), "p" * 1000
    for number in range(40_000):
        log.add(f"{path}{number}", "")
    assert len(log._lines) < 20_000
