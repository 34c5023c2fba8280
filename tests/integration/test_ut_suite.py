"""Unit tests run by the real go command: each way to fail is told apart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.errors import BadPlanError, InfrastructureError, ToolMissingError
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Profile, UnitTests
from orchestrator.domain.run import CaseStatus, FailureKind, TaskState
from tests.require import require
from tests.unit.workers.support import HOST, Record, go_module, make_job, task
from workers.process import Host, Limits
from workers.sandbox import available
from workers.suites.base import Ending
from workers.suites.ut import UnitTestSuite

T = 'import "testing"\n'


@pytest.fixture(autouse=True)
def _go() -> None:
    require("go")


def run(
    tree: Path,
    package: str | None = "a",
    settings: UnitTests | None = None,
    host: Host = HOST,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Ending, Record]:
    record = Record()
    profile = Profile(name="p", unit_tests=settings or UnitTests())
    job = make_job(task(Suite.UNIT_TEST, package=package), profile, tree, record, cancelled)
    return UnitTestSuite(host).execute(job), record


def module(folder: Path, body: str, **more: str) -> Path:
    return go_module(folder / "tree", {"a/a_test.go": body, **more})


def test_each_test_and_subtest_is_a_case(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        T + 'func TestA(t *testing.T) { t.Run("sub", func(t *testing.T) {}) }\n'
        'func TestS(t *testing.T) { t.Skip("not today") }\n',
    )
    ending, record = run(tree)
    assert ending.state is TaskState.PASSED
    assert record.names(CaseStatus.PASSED) == ["a.TestA/sub", "a.TestA"]
    assert "not today" in record.named("a.TestS").message
    assert any("=== RUN   TestA/sub" in line for line in record.lines)


def test_a_failing_test_says_what_it_said_and_where(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        T + 'func TestA(t *testing.T) {\n t.Log("before")\n t.Run("x", func(t *testing.T) {\n'
        '  t.Errorf("got %d\\nwant %d", 1, 2)\n })\n}\nfunc TestB(t *testing.T) {}\n',
    )
    ending, record = run(tree)
    failed = record.named("a.TestA/x")
    assert (failed.kind, failed.file, failed.line) == (FailureKind.TEST, "a/a_test.go", 6)
    assert "got 1" in failed.message
    assert "want 2" in failed.message
    assert record.named("a.TestB").status is CaseStatus.PASSED
    assert ending.state is TaskState.FAILED
    assert ending.message.startswith("2 of 3 failed: a.TestA/x")
    assert ending.reproduce == "go test -run '^(TestA)$' ./a"


def test_a_package_that_does_not_compile_is_a_build_failure(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        T + 'import "example.com/m/b"\nfunc TestA(t *testing.T) { b.F() }\n',
        **{"b/b.go": 'func F() int {\n return "x"\n}\n', "c/c_test.go": T + "func TestC(t *testing.T) {}\n"},
    )
    ending, record = run(tree, "...")
    assert ending.state is TaskState.FAILED
    for name in ("a", "b"):
        case = record.named(name)
        assert (case.kind, case.file, case.line) == (FailureKind.BUILD, "b/b.go", 3)
        assert "cannot use" in case.message
    assert "b does not build" in record.named("a").message
    assert record.named("c.TestC").status is CaseStatus.PASSED


def test_vet_within_go_test_is_a_build_failure(tmp_path: Path) -> None:
    tree = module(tmp_path, 'import ("fmt"; "testing")\nfunc TestA(t *testing.T) { fmt.Printf("%d", "x") }\n')
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert (record.named("a").kind, record.named("a").line) == (FailureKind.BUILD, 3)


def test_a_missing_import_is_a_build_failure_not_a_host_fault(tmp_path: Path) -> None:
    tree = module(tmp_path, 'import ("testing"; _ "example.com/m/gone")\nfunc TestA(t *testing.T) {}\n')
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert record.named("a").kind is FailureKind.BUILD


def test_a_panic_is_blamed_on_its_test_and_the_others_did_not_finish(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("testing"; "time")\n'
        "func TestDone(t *testing.T) {}\n"
        "func TestP(t *testing.T) {\n t.Parallel()\n time.Sleep(50 * time.Millisecond)\n var m map[string]int\n"
        ' m["x"] = 1\n}\n'
        "func TestQ(t *testing.T) { t.Parallel(); time.Sleep(5 * time.Second) }\n",
    )
    ending, record = run(tree, settings=UnitTests(flags=("-parallel", "4")))
    assert ending.state is TaskState.FAILED
    assert record.names(CaseStatus.FAILED) == ["a.TestP"]
    panicked = record.named("a.TestP")
    assert (panicked.kind, panicked.file, panicked.line) == (FailureKind.PANIC, "a/a_test.go", 8)
    assert "assignment to entry in nil map" in panicked.message
    assert record.named("a.TestQ").status is CaseStatus.SKIPPED
    assert "died in TestP" in record.named("a.TestQ").message
    assert record.named("a.TestDone").status is CaseStatus.PASSED


def test_a_panic_in_a_subtest_names_the_subtest(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        T + 'func TestP(t *testing.T) { t.Run("deep", func(t *testing.T) { panic("boom") }) }\n'
        "func TestNever(t *testing.T) {}\n",
    )
    _, record = run(tree)
    assert record.names(CaseStatus.FAILED) == ["a.TestP/deep", "a.TestP"]
    assert "boom" in record.named("a.TestP/deep").message
    assert record.named("a.TestP/deep").line == 3
    assert record.named("a.TestP").message == "in subtest TestP/deep"
    assert {case.kind for case in record.cases} == {FailureKind.PANIC}


def test_a_panic_in_a_goroutine_is_a_panic(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("testing"; "time")\nfunc TestG(t *testing.T) {\n'
        ' go func() { panic("in goroutine") }()\n time.Sleep(time.Second)\n}\n',
    )
    _, record = run(tree)
    assert record.named("a.TestG").kind is FailureKind.PANIC
    assert record.named("a.TestG").line == 4


def test_a_test_that_only_says_panic_has_not_panicked(tmp_path: Path) -> None:
    tree = module(
        tmp_path, 'import ("fmt"; "testing")\nfunc TestA(t *testing.T) { fmt.Println("panic: no"); t.Fatal("bad") }\n'
    )
    _, record = run(tree)
    assert record.named("a.TestA").kind is FailureKind.TEST


def test_a_data_race_is_told(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("sync"; "testing")\nfunc TestR(t *testing.T) {\n x := 0\n var w sync.WaitGroup\n w.Add(2)\n'
        " for range 2 {\n  go func() { x++; w.Done() }()\n }\n w.Wait()\n _ = x\n}\nfunc TestS(t *testing.T) {}\n",
    )
    _, record = run(tree, settings=UnitTests(flags=("-race",)))
    raced = record.named("a.TestR")
    assert (raced.kind, raced.file, raced.line) == (FailureKind.RACE, "a/a_test.go", 8)
    assert record.named("a.TestS").status is CaseStatus.PASSED


SLOW = (
    'import ("testing"; "time")\nfunc TestQuick(t *testing.T) {}\n'
    'func TestT(t *testing.T) { t.Run("sub", func(t *testing.T) { time.Sleep(time.Hour) }) }\n'
)


def test_the_timeout_of_go_test_is_a_timeout(tmp_path: Path) -> None:
    ending, record = run(module(tmp_path, SLOW), settings=UnitTests(flags=("-timeout", "1s")))
    assert ending.state is TaskState.FAILED
    assert record.named("a.TestT/sub").kind is FailureKind.TIMEOUT
    assert "test timed out after 1s" in record.named("a.TestT/sub").message
    assert record.named("a.TestQuick").status is CaseStatus.PASSED


def test_the_tasks_own_deadline_is_a_timeout(tmp_path: Path) -> None:
    tree = module(tmp_path, SLOW)
    run(tree, settings=UnitTests(flags=("-run", "TestQuick")))  # builds, so that the deadline meets the test
    ending, record = run(tree, settings=UnitTests(timeout=4))
    assert ending.state is TaskState.FAILED
    assert record.named("a.TestT/sub").kind is FailureKind.TIMEOUT
    assert "no end within 4 s" in record.named("a.TestT/sub").message
    assert "no end within 4 s" in ending.message


def test_leaving_by_os_exit_is_abnormal(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("fmt"; "os"; "testing")\nfunc TestE(t *testing.T) { fmt.Println("bye"); os.Exit(3) }\n'
        "func TestZ(t *testing.T) {}\n",
    )
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert record.names(CaseStatus.FAILED) == ["a.TestE"]
    assert record.named("a.TestE").kind is FailureKind.ABNORMAL
    assert "bye" in record.named("a.TestE").message


def test_a_test_binary_that_is_killed_is_abnormal(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("syscall"; "testing")\nfunc TestK(t *testing.T) { syscall.Kill(syscall.Getpid(), 9) }\n',
    )
    _, record = run(tree)
    assert record.named("a.TestK").kind is FailureKind.ABNORMAL
    assert "signal: killed" in record.named("a.TestK").message


@pytest.mark.parametrize("confined", [False, True])
def test_a_go_command_that_is_killed_is_no_verdict(tmp_path: Path, *, confined: bool) -> None:
    if confined:
        require("bubblewrap")
    tree = module(
        tmp_path,
        'import ("syscall"; "testing"; "time")\nfunc TestA(t *testing.T) {\n'
        " syscall.Kill(syscall.Getppid(), syscall.SIGKILL)\n time.Sleep(time.Minute)\n}\n",
    )
    record = Record()
    job = make_job(task(Suite.UNIT_TEST, package="a"), Profile(name="p"), tree, record)
    with pytest.raises(InfrastructureError, match="go test was killed by signal 9"):
        UnitTestSuite(replace(HOST, sandbox=available() if confined else None)).execute(job)
    assert record.cases == [], "a test that did not fail is not told as one that did"


def test_a_testmain_that_gives_up_fails_the_package(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("os"; "testing")\nfunc TestMain(m *testing.M) { println("no server"); os.Exit(7) }\n'
        "func TestK(t *testing.T) {}\n",
    )
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert record.named("a").kind is FailureKind.ABNORMAL
    assert "no server" in record.named("a").message


def test_a_removed_package_is_skipped_and_says_so(tmp_path: Path) -> None:
    for package in ("gone", "gone/..."):
        ending, record = run(module(tmp_path, T), package)
        assert ending.state is TaskState.SKIPPED
        assert "removed" in record.named(package).message


def test_a_directory_without_go_files_is_skipped(tmp_path: Path) -> None:
    tree = module(tmp_path, T, **{"b/data.txt": "x", "c/c.go": "var X = 1\n"})
    for package in ("b", "b/...", "c"):
        ending, record = run(tree, package)
        assert ending.state is TaskState.SKIPPED, package
        assert [case.status for case in record.cases] == [CaseStatus.SKIPPED]


def test_a_package_that_leaves_the_tree_is_refused(tmp_path: Path) -> None:
    for package in ("../other", "/etc", "a/../../x"):
        with pytest.raises(BadPlanError):
            run(module(tmp_path, T), package)


def test_a_broken_go_mod_fails_the_task(tmp_path: Path) -> None:
    tree = module(tmp_path, T + "func TestA(t *testing.T) {}\n")
    (tree / "go.mod").write_text("module example.com/m\nwat\n")
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert "unknown directive" in record.cases[0].message
    assert record.cases[0].kind is FailureKind.BUILD


def test_what_the_host_lacks_is_infrastructure(tmp_path: Path) -> None:
    tree = module(tmp_path, T + "func TestA(t *testing.T) {}\n")
    with pytest.raises(ToolMissingError):
        run(tree, settings=UnitTests(command=("no-such-go", "test", "-json")))
    with pytest.raises(InfrastructureError, match="C compiler"):
        run(tree, settings=UnitTests(flags=("-race",), env={"CC": "no-such-compiler"}))
    with pytest.raises(InfrastructureError, match="does not take these flags"):
        run(tree, settings=UnitTests(flags=("-p", "x")))
    (tree / "go.mod").write_text("module example.com/m\n\ngo 1.99\n")
    with pytest.raises(InfrastructureError, match="too old"):
        run(tree, settings=UnitTests(env={"GOTOOLCHAIN": "local"}))


def test_modules_that_cannot_be_had_are_infrastructure(tmp_path: Path) -> None:
    tree = module(tmp_path, 'import ("testing"; _ "example.org/x/y")\nfunc TestA(t *testing.T) {}\n')
    (tree / "go.mod").write_text("module example.com/m\n\ngo 1.24\n\nrequire example.org/x/y v1.0.0\n")
    (tree / "go.sum").write_text("example.org/x/y v1.0.0 h1:aaaa=\nexample.org/x/y v1.0.0/go.mod h1:aaaa=\n")
    with pytest.raises(InfrastructureError, match="could not be downloaded"):
        run(tree, settings=UnitTests(env={"GOPROXY": "http://127.0.0.1:9"}))


def test_the_workspace_is_filled_into_flags_and_environment(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("os"; "testing")\nfunc TestA(t *testing.T) {\n wd, _ := os.Getwd()\n'
        ' if os.Getenv("TREE")+"/a" != wd { t.Fatal(os.Getenv("TREE"), wd) }\n}\n',
    )
    ending, _ = run(tree, settings=UnitTests(env={"TREE": "{workspace}"}, flags=("-tags", "x{workspace}")))
    assert ending.state is TaskState.PASSED
    assert ending.reproduce == """env 'TREE='"$PWD"'' go test -tags 'x'"$PWD"'' ./a"""


def test_a_test_sees_nothing_of_the_workers_environment(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("os"; "strings"; "testing")\nfunc TestA(t *testing.T) {\n for _, v := range os.Environ() {\n'
        '  if strings.Contains(v, "hunter2") { t.Error(v) }\n }\n'
        ' if os.Getenv("MO_TESTPLAN_MARK") != "m" { t.Error("no mark") }\n'
        ' if strings.Contains(os.Getenv("HOME"), "root") { t.Error(os.Getenv("HOME")) }\n}\n',
    )
    secret = {"MO_TESTPLAN_REDIS_URL": "redis://:hunter2@h", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    host = replace(HOST, environment={**os.environ, **secret, "MO_TESTPLAN_MARK": "m"})
    ending, record = run(tree, host=host)
    assert ending.state is TaskState.PASSED, record.cases


def test_a_flood_of_output_is_bounded(tmp_path: Path) -> None:
    tree = module(
        tmp_path,
        'import ("fmt"; "strings"; "testing")\nfunc TestF(t *testing.T) {\n line := strings.Repeat("x", 1000)\n'
        ' for i := range 20000 { fmt.Println(i, line) }\n t.Fatal("the end")\n}\n',
    )
    ending, record = run(tree)
    assert ending.state is TaskState.FAILED
    assert len(record.named("a.TestF").message) < 8500
    assert record.named("a.TestF").message.endswith("the end")
    ending, record = run(tree, host=replace(HOST, limits=Limits(output=1 << 20)))
    assert ending.state is TaskState.FAILED
    assert "bytes of output" in ending.message
    assert record.named("a.TestF").kind is FailureKind.ABNORMAL


def test_a_cancel_ends_it_at_once(tmp_path: Path) -> None:
    flag = threading.Event()
    tree = module(tmp_path, SLOW)
    run(tree, settings=UnitTests(flags=("-run", "TestQuick")))
    threading.Timer(1.5, flag.set).start()
    start = time.monotonic()
    ending, record = run(tree, cancelled=flag.is_set)
    assert ending.state is TaskState.CANCELLED
    assert time.monotonic() - start < 60
    assert not record.names(CaseStatus.FAILED)


def test_in_the_sandbox_tests_have_loopback_and_no_files_of_the_host(tmp_path: Path) -> None:
    require("bubblewrap")
    (tmp_path / "secret").write_text("hunter2")
    tree = module(
        tmp_path,
        'import ("net"; "os"; "testing")\nfunc TestA(t *testing.T) {\n'
        ' l, err := net.Listen("tcp", "127.0.0.1:0")\n if err != nil { t.Fatal(err) }\n'
        ' if _, err := net.Dial("tcp", l.Addr().String()); err != nil { t.Error(err) }\n'
        f' if _, err := os.ReadFile("{tmp_path}/secret"); err == nil {{ t.Error("read a secret") }}\n'
        ' if err := os.WriteFile("/usr/x", nil, 0o600); err == nil { t.Error("wrote the system") }\n'
        ' if err := os.WriteFile("mine", nil, 0o600); err != nil { t.Error(err) }\n'
        " i, _ := net.Interfaces()\n if len(i) != 1 { t.Error(i) }\n}\n",
    )
    ending, record = run(tree, host=replace(HOST, sandbox=available()))
    assert ending.state is TaskState.PASSED, record.cases
