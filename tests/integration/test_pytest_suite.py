"""Python tests as a suite: what pytest says becomes cases and a verdict, whatever the tests do to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import BadPlanError, InfrastructureError
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Profile, UnitTests
from orchestrator.domain.run import CaseStatus, FailureKind, TaskState
from tests.unit.workers.support import HOST, Record, make_job, task
from workers.suites.base import Ending
from workers.suites.ut import UnitTestSuite

GOOD = "def test_good():\n    assert True\n"
BAD = "def test_bad():\n    value = 1\n    assert value == 2\n"


def run(
    folder: Path, files: dict[str, str], package: str = "tests/...", only: tuple[str, ...] = (), **more: object
) -> tuple[Ending, Record]:
    tree = folder / "tree"
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings = UnitTests(format="pytest", command=("{python}", "-m", "pytest"), **{"timeout": 60.0, **more})  # type: ignore[arg-type]
    record = Record()
    job = make_job(
        task(Suite.UNIT_TEST, package=package, files=only), Profile(name="p", unit_tests=settings), tree, record
    )
    return UnitTestSuite(HOST).execute(job), record


def test_passes_failures_and_skips_are_cases_with_their_place(tmp_path: Path) -> None:
    skip = "import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_s():\n    pass\n"
    ending, record = run(tmp_path, {"tests/test_a.py": GOOD + "\n\n" + BAD, "tests/test_s.py": skip})
    assert ending.state is TaskState.FAILED
    assert record.names(CaseStatus.PASSED) == ["tests/test_a.py::test_good"]
    assert record.names(CaseStatus.SKIPPED) == ["tests/test_s.py::test_s"]
    bad = record.named("tests/test_a.py::test_bad")
    assert (bad.file, bad.line, bad.kind) == ("tests/test_a.py", 7, FailureKind.TEST)
    assert "assert 1 == 2" in bad.message
    assert ending.reproduce == "python -m pytest tests/test_a.py::test_bad"


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


def test_a_test_that_hangs_ends_at_the_deadline(tmp_path: Path) -> None:
    hangs = "import time\n\n\ndef test_hangs():\n    time.sleep(3600)\n"
    ending, _ = run(tmp_path, {"tests/test_a.py": hangs}, timeout=4.0)
    assert (ending.state, "4 s" in ending.message) == (TaskState.FAILED, True)


def test_wrong_options_are_the_profiles_fault_and_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="exit status 4"):
        run(tmp_path, {"tests/test_a.py": GOOD}, flags=("--no-such-option",))


@pytest.mark.parametrize("name", ["../other/...", "/etc/...", "tests/../../x"])
def test_a_name_that_leaves_the_tree_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadPlanError, match="no package"):
        run(tmp_path, {}, name)


@pytest.mark.parametrize(
    "report",
    ["<!DOCTYPE x [<!ENTITY a 'aaaa'>]><testsuites>&a;</testsuites>", "no xml", "<testsuites><testcase time='inf'/>"],
)
def test_a_report_that_tests_forged_is_not_believed(tmp_path: Path, report: str) -> None:
    forge = (
        "import atexit, os, pathlib, sys\n"
        "name = next(a.split('=')[1] for a in sys.argv if a.startswith('--junit-xml'))\n"
        f"def forge():\n    pathlib.Path(name).write_text({report!r})\n    os._exit(1)\n"
        "def test_a():\n    atexit.register(forge)\n"
    )
    ending, record = run(tmp_path, {"tests/test_a.py": forge})
    assert (ending.state, record.cases) == (TaskState.FAILED, [])


def test_an_unconfined_test_that_calls_go_finds_the_users_build_cache(tmp_path: Path) -> None:
    told = "import os\n\n\ndef test_a():\n    assert os.environ['GOCACHE']\n"
    ending, record = run(tmp_path, {"tests/test_a.py": told})
    assert ending.state is TaskState.PASSED, record.cases
