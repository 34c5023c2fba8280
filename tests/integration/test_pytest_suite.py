"""Python tests as a suite: what pytest says becomes cases and a verdict, whatever the tests do to it."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.errors import BadPlanError, InfrastructureError, ToolMissingError
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Profile, UnitTests
from orchestrator.domain.run import CaseStatus, FailureKind, TaskState
from tests.require import require
from tests.unit.workers.support import HOST, Record, make_job, task
from workers.process import Host, Limits
from workers.sandbox import Sandbox, available
from workers.suites.base import Ending
from workers.suites.ut import UnitTestSuite

GOOD = "def test_good():\n    assert True\n"
#: As the kernel does it.
KILLED = "__import__('subprocess').run(['sh', '-c', 'kill -9 $PPID'])"
BAD = "def test_bad():\n    value = 1\n    assert value == 2\n"


def run(
    folder: Path,
    files: dict[str, str],
    package: str = "tests/...",
    only: tuple[str, ...] = (),
    *,
    enough: Callable[[Record], bool] = lambda _: False,
    host: Host = HOST,
    **more: object,
) -> tuple[Ending, Record]:
    """The tests of ``files``, cancelled when there is ``enough``."""
    tree = folder / "tree"
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    lean = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # starts in a fifth of the time
    usual = {"command": ("{python}", "-m", "pytest"), "timeout": 60.0, "env": lean}
    settings = UnitTests(format="pytest", **{**usual, **more})  # type: ignore[arg-type]
    record = Record()
    what, profile = task(Suite.UNIT_TEST, package=package, files=only), Profile(name="p", unit_tests=settings)
    job = make_job(what, profile, tree, record, lambda: enough(record))
    return UnitTestSuite(host).execute(job), record


def test_passes_failures_and_skips_are_cases_with_their_place(tmp_path: Path) -> None:
    skip = "import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_s():\n    pass\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD + "\n\n" + BAD, "tests/test_s.py": skip})
    assert ending.state is TaskState.FAILED
    assert record.names(CaseStatus.PASSED) == ["tests/test_a.py::test_good"]
    assert record.names(CaseStatus.SKIPPED) == ["tests/test_s.py::test_s"]
    bad = record.named("tests/test_a.py::test_bad")
    assert (bad.file, bad.line, bad.kind) == ("tests/test_a.py", 7, FailureKind.TEST)
    assert "assert 1 == 2" in bad.message
    assert ending.reproduce == "env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest tests/test_a.py::test_bad"


def test_a_file_can_be_a_task_and_a_green_one_passes(tmp_path: Path) -> None:
    files = {"tests/test_a.py": GOOD, "tests/test_b.py": BAD}
    ending, record = run(tmp_path, files, "tests/test_a.py/...")
    assert (ending.state, len(record.cases)) == (TaskState.PASSED, 1)


def test_a_directory_can_be_cut_down_to_some_of_its_files(tmp_path: Path) -> None:
    files = {"tests/unit/test_a.py": GOOD, "tests/unit/test_b.py": BAD, "tests/unit/test_c.py": GOOD}
    ending, record = run(tmp_path, files, "tests/unit", ("test_a.py", "test_c.py", "test_gone.py"))
    assert (ending.state, len(record.cases)) == (TaskState.PASSED, 2)


def test_a_tree_that_does_not_import_fails_and_says_where(tmp_path: Path) -> None:
    ending, record = run(tmp_path, {"tests/test_a.py": "import nothing_of_that_name\n", "tests/test_b.py": GOOD})
    assert ending.state is TaskState.FAILED
    (broken,) = [case for case in record.cases if case.status is CaseStatus.FAILED]
    assert broken.kind is FailureKind.BUILD
    assert "nothing_of_that_name" in broken.message
    broken_conftest, _ = run(
        tmp_path / "second", {"tests/conftest.py": "raise ImportError('x')\n", "tests/test_a.py": GOOD}
    )
    assert broken_conftest.state is TaskState.FAILED


def test_no_tests_and_removed_tests_are_skipped(tmp_path: Path) -> None:
    assert run(tmp_path, {"tests/words.txt": ""})[0].state is TaskState.SKIPPED
    assert run(tmp_path, {}, "tests/gone/...")[0].state is TaskState.SKIPPED


HANGS = GOOD + "\n\ndef test_hangs():\n    import time\n    time.sleep(3600)\n\n\ndef test_later():\n    pass\n"


def test_a_test_that_hangs_answers_for_the_deadline_and_what_passed_before_has_passed(tmp_path: Path) -> None:
    for timeout in (4.0, 16.0, 64.0):  # a slow machine has not come to the test by then
        ending, record = run(tmp_path, {"tests/test_a.py": HANGS}, timeout=timeout)
        assert (ending.state, f"{timeout:g} s" in ending.message) == (TaskState.FAILED, True)
        if record.names(CaseStatus.PASSED):
            break
    assert [case.name for case in record.cases] == ["tests/test_a.py::test_good", "tests/test_a.py::test_hangs"]
    hung = record.named("tests/test_a.py::test_hangs")
    assert (hung.status, hung.kind, hung.file) == (CaseStatus.FAILED, FailureKind.TIMEOUT, "tests/test_a.py")
    assert ending.reproduce == "env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest tests/test_a.py::test_hangs"


def test_what_ended_before_a_cancel_is_told_and_what_ran_is_not_blamed(tmp_path: Path) -> None:
    ending, record = run(tmp_path, {"tests/test_a.py": HANGS}, enough=lambda record: bool(record.cases))
    assert (ending.state, [case.name for case in record.cases]) == (TaskState.CANCELLED, ["tests/test_a.py::test_good"])


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(3)", "os._exit(255)", "os.kill(os.getpid(), signal.SIGSEGV)"])
def test_a_test_that_takes_pytest_with_it_has_failed(tmp_path: Path, end: str) -> None:
    dies = f"{GOOD}\n\ndef test_dies():\n    import os, signal\n    {end}\n"
    ending, record = run(tmp_path, {"tests/test_a.py": dies})
    assert (ending.state, record.names(CaseStatus.PASSED)) == (TaskState.FAILED, ["tests/test_a.py::test_good"])
    assert record.named("tests/test_a.py::test_dies").kind is FailureKind.ABNORMAL


@pytest.mark.parametrize("name", ["conftest.py", "tests/conftest.py", "tests/test_b.py", "mo_testplan_tell.py"])
def test_who_ends_pytest_or_takes_the_place_of_the_plug_in_has_not_passed(tmp_path: Path, name: str) -> None:
    text = "" if name == "mo_testplan_tell.py" else "import os\n\nos._exit(0)\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD, name: text})
    assert (ending.state, "before it was through" in ending.message) == (TaskState.FAILED, True)
    assert record.named("tests").kind is FailureKind.ABNORMAL


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tests/test_b.py", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "signal 11"),
        (
            "conftest.py",
            "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGABRT)\n",
            "signal 6",
        ),
        ("conftest.py", "import os\nos._exit(7)\n", "exit status 7"),
        ("tests/test_b.py", "import sys\nsys.exit(0)\n", "exit status 3: SystemExit: 0"),
        ("conftest.py", "def pytest_collection_modifyitems():\n    raise OSError('no disc')\n", "OSError: no disc"),
    ],
)
def test_code_that_takes_pytest_with_it_outside_of_the_tests_has_failed(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD, name: text})
    assert (ending.state, said in ending.message) == (TaskState.FAILED, True), ending.message
    assert record.named("tests").kind is FailureKind.ABNORMAL


def test_a_pytest_that_never_began_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="exit status 9"):
        run(tmp_path, {"tests/test_a.py": GOOD}, command=("sh", "-c", "exit 9"))
    with pytest.raises(ToolMissingError, match="not installed"):
        run(tmp_path, {"tests/test_a.py": GOOD}, command=("sh", "-c", "echo No module named pytest; exit 1"))


def test_a_test_that_takes_more_processor_time_than_the_host_gives_has_failed(tmp_path: Path) -> None:
    host = dataclasses.replace(HOST, limits=Limits(cpu=3))
    text = "def test_burns():\n    while True:\n        pass\n"
    ending, record = run(tmp_path, {"tests/test_a.py": text}, host=host)
    assert ending.state is TaskState.FAILED
    assert record.named("tests/test_a.py::test_burns").kind is FailureKind.ABNORMAL


SUBTESTS = """
import pytest

@pytest.mark.parametrize("fails", [False, True])
def test_many(subtests, fails):
    with subtests.test("skipped"):
        pytest.skip("not here")
    with subtests.test("other"):
        assert not fails
"""


def test_a_skipped_subtest_is_no_skipped_test_and_a_failed_one_a_failed_test(tmp_path: Path) -> None:
    _, record = run(tmp_path, {"tests/test_a.py": SUBTESTS})
    assert record.names(CaseStatus.PASSED) == ["tests/test_a.py::test_many[False]"]
    assert record.names(CaseStatus.FAILED) == ["tests/test_a.py::test_many[True]"]


def test_a_failure_is_told_even_after_the_same_test_has_passed_elsewhere(tmp_path: Path) -> None:
    both = """
        import os
        def test_one():
            assert os.environ["PYTEST_XDIST_WORKER"] == "gw0"
    """
    flags = ("-p", "xdist", "-n", "2", "--dist", "each")
    _, record = run(tmp_path, {"tests/test_a.py": textwrap.dedent(both)}, flags=flags)
    assert "tests/test_a.py::test_one" in record.names(CaseStatus.FAILED)


def test_a_kill_from_outside_is_no_verdict(tmp_path: Path) -> None:
    killed = f"def test_dies():\n    {KILLED}\n"
    with pytest.raises(InfrastructureError, match="killed by signal 9"):
        run(tmp_path, {"tests/test_a.py": killed})


def test_a_test_that_leaves_as_if_it_was_killed_fails(tmp_path: Path) -> None:
    require("bubblewrap")
    host = dataclasses.replace(HOST, sandbox=available())
    leaves = "import os\n\ndef test_leaves():\n    os._exit(137)\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD, "tests/test_b.py": leaves}, host=host)
    assert ending.state is TaskState.FAILED
    case = record.named("tests/test_b.py::test_leaves")
    assert (case.status, case.kind) == (CaseStatus.FAILED, FailureKind.ABNORMAL)
    assert case.message == "pytest ended with exit status 137 while this test ran"


def test_a_child_that_leaves_does_not_excuse_a_kill(tmp_path: Path) -> None:
    forks = "import os\n\ndef test_forks():\n    if not os.fork():\n        os._exit(0)\n    os.wait()\n"
    with pytest.raises(InfrastructureError, match="killed by signal 9"):
        run(tmp_path, {"tests/test_a.py": f"{forks}    {KILLED}\n"})


@pytest.mark.parametrize(
    "kill", ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(0, 9)", "os.killpg(os.getpgrp(), 9)", "os.killpg(0, 9)"]
)
def test_a_test_that_kills_itself_fails(tmp_path: Path, kill: str) -> None:
    ending, record = run(tmp_path, {"tests/test_a.py": f"import os, signal\n\ndef test_dies():\n    {kill}\n"})
    assert ending.state is TaskState.FAILED
    assert record.named("tests/test_a.py::test_dies").kind is FailureKind.ABNORMAL


def test_a_child_that_is_killed_does_not_excuse_a_kill(tmp_path: Path) -> None:
    kills = "import os, subprocess\n\ndef test_kills():\n    one = subprocess.Popen(['sleep', '60'])\n    one.kill()\n"
    with pytest.raises(InfrastructureError, match="killed by signal 9"):
        run(tmp_path, {"tests/test_a.py": f"{kills}    assert one.wait() == -9\n    {KILLED}\n"})


@pytest.mark.parametrize("file", ["test_a[1].py", "test_a::b.py", "d[x]/test_a.py", "d[x]/test_b[1].py"])
def test_files_whose_names_pytest_reads_as_tests_are_run_alone(tmp_path: Path, file: str) -> None:
    files = {f"tests/unit/{file}": GOOD, "tests/unit/test_b.py": BAD, "tests/unit/d[x]/test_c.py": BAD}
    ending, record = run(tmp_path, files, "tests/unit", (file,))
    assert (ending.state, record.names(CaseStatus.PASSED)) == (TaskState.PASSED, [f"tests/unit/{file}::test_good"])
    ending, record = run(tmp_path, files, "tests/unit/test_b.py", ())
    assert len(record.cases) == 1


def test_in_a_sandbox_it_says_the_same(tmp_path: Path) -> None:
    require("bubblewrap")
    host = dataclasses.replace(HOST, sandbox=available())
    dies = f"{BAD}\n\ndef test_dies():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD, "tests/test_b.py": dies}, host=host)
    assert (ending.state, [(case.name, case.kind) for case in record.cases]) == (
        TaskState.FAILED,
        [
            ("tests/test_a.py::test_good", None),
            ("tests/test_b.py::test_bad", FailureKind.TEST),
            ("tests/test_b.py::test_dies", FailureKind.ABNORMAL),
        ],
    )


def test_a_sandbox_that_fails_is_no_verdict(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    host = dataclasses.replace(HOST, sandbox=Sandbox(str(program)))
    with pytest.raises(InfrastructureError, match="did not start the test: bwrap: No permissions"):
        run(tmp_path, {"tests/test_a.py": GOOD}, host=host)


def test_tests_in_many_processes_are_told_by_their_master(tmp_path: Path) -> None:
    dies = f"{BAD}\n\ndef test_dies():\n    import os\n    os._exit(1)\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD, "tests/test_b.py": dies}, flags=("-p", "xdist", "-n", "2"))
    assert ending.state is TaskState.FAILED
    assert record.names(CaseStatus.PASSED) == ["tests/test_a.py::test_good"]
    assert sorted(record.names(CaseStatus.FAILED)) == ["tests/test_b.py::test_bad", "tests/test_b.py::test_dies"]


KINDS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no set-up")

@pytest.fixture
def untidy():
    yield
    raise OSError("no tear-down")

class TestMany:
    def test_setup(self, broken): pass
    def test_teardown(self, untidy): pass
    @pytest.mark.xfail(reason="known")
    def test_known(self): assert False
    @pytest.mark.xfail(strict=True)
    def test_mended(self): pass
    @pytest.mark.parametrize("word", ["a b", "a::b"])
    def test_words(self, word): print(word)
"""


def test_every_end_of_a_test_is_one_case_named_as_pytest_names_it(tmp_path: Path) -> None:
    ending, record = run(tmp_path, {"tests/test_a.py": KINDS})
    found = {case.name.removeprefix("tests/test_a.py::TestMany::"): case.status.value for case in record.cases}
    assert found == {
        "test_setup": "failed",
        "test_teardown": "failed",
        "test_known": "skipped",
        "test_mended": "failed",
        "test_words[a b]": "passed",
        "test_words[a::b]": "passed",
    }
    assert record.named("tests/test_a.py::TestMany::test_setup").message.startswith("failed on setup: OSError: no set")
    assert record.named("tests/test_a.py::TestMany::test_known").message == "known"
    assert (ending.state, ending.message[:11]) == (TaskState.FAILED, "3 of 6 fail")


def test_wrong_options_are_the_profiles_fault_and_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="exit status 4"):
        run(tmp_path, {"tests/test_a.py": GOOD}, flags=("--no-such-option",))


@pytest.mark.parametrize("name", ["../other/...", "/etc/...", "tests/../../x"])
def test_a_name_that_leaves_the_tree_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadPlanError, match="no package"):
        run(tmp_path, {}, name)


@pytest.mark.parametrize(
    "event",
    [
        ".no json",
        ".[1]",
        '.{"event": "end", "node": 5}',
        '.{"event": "report", "node": "x", "seconds": "s", "outcome": 1}',
        "+half of one, which the next one ends",
        '.{"event": "end", "node": "tests/test_a.py::test_a"}',
    ],
)
def test_events_that_tests_forged_are_not_believed(tmp_path: Path, event: str) -> None:
    forge = (
        "import mo_testplan_tell as tell, os\n\n\n"
        f"def test_a():\n    os.write(tell._ERROR_OUTPUT, (tell.MARK + {event!r} + '\\n').encode())\n"
        '    tell._tell("report", "tests/test_a.py::test_a", outcome="passed", seconds=float("nan"))\n    assert 0\n'
    )
    ending, record = run(tmp_path, {"tests/test_a.py": forge})
    assert ending.state is TaskState.FAILED
    assert set(record.names(CaseStatus.FAILED)) == {"tests/test_a.py::test_a"}
    assert all(case.seconds >= 0 for case in record.cases)


def test_an_unconfined_test_that_calls_go_finds_the_users_build_cache(tmp_path: Path) -> None:
    told = "import os\n\n\ndef test_a():\n    assert os.environ['GOCACHE']\n"
    ending, record = run(tmp_path, {"tests/test_a.py": told})
    assert ending.state is TaskState.PASSED, record.cases
