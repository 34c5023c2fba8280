"""Static analysis with the real go command and with programs that print lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import BadPlanError, InfrastructureError, ToolMissingError
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Analyser, Profile, Sca
from orchestrator.domain.run import CaseStatus, FailureKind, TaskState
from tests.require import require
from tests.unit.workers.support import HOST, Record, go_module, make_job, task
from workers.suites.base import Ending
from workers.suites.sca import StaticAnalysisSuite

VET = Analyser(name="go-vet", command=("go", "vet", "-json", "{packages}"), format="go-vet-json")
BAD = 'import "fmt"\n\nfunc F() {\n\tfmt.Printf("%d\\n", "x")\n}\n'
BROKEN = 'func G() int { return "x" }\n'


@pytest.fixture(autouse=True)
def _go() -> None:
    require("go")


def run(tree: Path, *files: str, analyser: Analyser = VET, name: str | None = None) -> tuple[Ending, Record]:
    record = Record()
    profile = Profile(name="p", sca=Sca(analysers=(analyser,)))
    what = task(Suite.SCA, analyser=name or analyser.name, files=files)
    return StaticAnalysisSuite(HOST).execute(make_job(what, profile, tree, record)), record


def shell(text: str, timeout: float = 20) -> Analyser:
    """An analyser that prints what it is told; a shell script is data here."""
    return Analyser(name="words", command=("sh", "-c", text, "words", "{packages}"), timeout=timeout)


def tree_of(tmp_path: Path, **files: str) -> Path:
    return go_module(tmp_path / "tree", {"a/a.go": BAD, "ok/ok.go": "var X = 1\n", "b/b.go": BROKEN, **files})


def test_a_vet_finding_is_a_failed_case_at_its_line(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path), "a", "ok")
    assert ending.state is TaskState.FAILED
    case = record.named("a/a.go:5:14 printf")
    assert (case.kind, case.file, case.line) == (FailureKind.FINDING, "a/a.go", 5)
    assert "wrong type string" in case.message
    assert ending.message.startswith("1 finding: a/a.go:5:14 printf")
    assert ending.reproduce == "go vet -json ./a ./ok"


def test_a_clean_package_passes(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path), "ok")
    assert ending.state is TaskState.PASSED
    assert [case.status for case in record.cases] == [CaseStatus.PASSED]


def test_a_package_that_does_not_compile_is_a_build_finding(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path), "b", "a")
    assert ending.state is TaskState.FAILED
    kinds = {case.kind: (case.file, case.line) for case in record.cases}
    assert kinds == {FailureKind.BUILD: ("b/b.go", 2), FailureKind.FINDING: ("a/a.go", 5)}


def test_a_missing_import_is_a_build_finding(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path, **{"c/c.go": 'import _ "example.com/m/gone"\n'}), "c")
    assert ending.state is TaskState.FAILED
    assert [case.kind for case in record.cases] == [FailureKind.BUILD]


def test_removed_directories_are_dropped_and_none_left_is_skipped(tmp_path: Path) -> None:
    ending, _ = run(tree_of(tmp_path), "ok", "gone", "also/gone")
    assert ending.state is TaskState.PASSED
    assert ending.reproduce == "go vet -json ./ok"
    ending, record = run(tree_of(tmp_path), "gone")
    assert ending.state is TaskState.SKIPPED
    assert record.named("go-vet").status is CaseStatus.SKIPPED


def test_no_directories_means_everything(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path))
    assert ending.reproduce == "go vet -json ./..."
    assert {case.file for case in record.cases} == {"a/a.go", "b/b.go"}


def test_a_directory_that_leaves_the_tree_is_refused(tmp_path: Path) -> None:
    for name in ("../x", "/etc", "a/../../x"):
        with pytest.raises(BadPlanError):
            run(tree_of(tmp_path), name)


def test_an_unknown_analyser_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadPlanError, match="go-vet"):
        run(tree_of(tmp_path), "ok", name="go-vat")


def test_lines_of_any_analyser_are_findings(tmp_path: Path) -> None:
    tree = tree_of(tmp_path)
    lines = ("level=info msg=x:1: y", "a/a.go:5:2: bad one", f"{tree}/ok/ok.go:2: bad two")
    script = f'echo "$1"; {"; ".join(f"echo {line!r}" for line in lines)}; exit 1'
    ending, record = run(tree, "ok", analyser=shell(script))
    assert ending.state is TaskState.FAILED
    assert [(case.file, case.line, case.message) for case in record.cases] == [
        ("a/a.go", 5, "bad one"),
        ("ok/ok.go", 2, "bad two"),
    ]
    assert record.lines[0] == "./ok"


def test_a_finding_outside_of_the_tree_names_no_file(tmp_path: Path) -> None:
    tree = tree_of(tmp_path)
    script = "echo '/etc/passwd.go:1:1: x'; echo '../tree/a/a.go:1:1: y'; exit 1"
    _, record = run(tree, "ok", analyser=shell(script))
    assert [(case.file, case.line) for case in record.cases] == [(None, None), (None, None)]
    assert "/etc/passwd.go:1: x" in record.cases[0].message


def test_failing_without_a_finding_is_infrastructure(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"exit status 3 without a finding: cannot load config"):
        run(tree_of(tmp_path), "ok", analyser=shell("echo cannot load config >&2; exit 3"))
    with pytest.raises(ToolMissingError, match="no-such-linter"):
        run(tree_of(tmp_path), "ok", analyser=Analyser(name="x", command=("no-such-linter", "{packages}")))


def test_a_finding_of_any_length_is_one(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, **{"a/a.go": BAD.replace('"x"', '"' + "x" * 300_000 + '"')})
    ending, record = run(tree, "a")
    assert ending.state is TaskState.FAILED
    assert record.named("a/a.go:5:14 printf").kind is FailureKind.FINDING


@pytest.mark.parametrize("said", [r'{\n"a": [\n}\n', r'{\n"a": {\n'])
def test_findings_that_cannot_be_read_are_no_pass(tmp_path: Path, said: str) -> None:
    damaged = Analyser(name="vet", command=("printf", said), format="go-vet-json")
    with pytest.raises(InfrastructureError, match="JSON"):
        run(tree_of(tmp_path), "ok", analyser=damaged)


NONE = 'go: warning: "./b/..." matched no packages'


def test_nothing_to_look_at_is_skipped(tmp_path: Path) -> None:
    ending, _ = run(tree_of(tmp_path), "ok", analyser=shell(f"echo '{NONE}' >&2"))
    assert (ending.state, ending.message) == (TaskState.SKIPPED, "no packages match")


def test_something_to_look_at_beside_it_is_no_skip_and_a_crash_is_none(tmp_path: Path) -> None:
    ending, _ = run(tree_of(tmp_path), "ok", "a", analyser=shell(f"echo '{NONE}' >&2"))
    assert ending.state is TaskState.PASSED
    with pytest.raises(InfrastructureError, match="panic: nil map"):
        run(tree_of(tmp_path), "ok", analyser=shell(f"echo '{NONE}' >&2; echo 'panic: nil map' >&2; exit 2"))


def test_an_analyser_that_overruns_its_deadline_is_a_timeout(tmp_path: Path) -> None:
    ending, record = run(tree_of(tmp_path), "ok", analyser=shell("sleep 60", timeout=0.5))
    assert ending.state is TaskState.FAILED
    assert record.named("words").kind is FailureKind.TIMEOUT


def test_many_findings_are_counted_and_the_first_ones_told(tmp_path: Path) -> None:
    script = 'i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo "a/a.go:$i:1: bad"; done; exit 1'
    ending, record = run(tree_of(tmp_path), "ok", analyser=shell(script))
    assert len(record.cases) == 1000
    assert ending.message.startswith("1500 findings: a/a.go:1:1: bad")
