"""Checkouts of a repository that is not ours."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from orchestrator.domain.errors import CancelledError, WorkspaceError
from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Profile
from tests.full import disk_full
from tests.unit.diff.repo import Repo
from workers.workspace import Workspace, Workspaces
from workers.workspace import git as mirrors
from workers.workspace.git import _make
from workers.workspace.locks import FileLock, build_lock
from workers.workspace.whole import check


def git(folder: Path, *words: str) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "t", f"GIT_{who}_EMAIL": "t@example.com"}
    done = subprocess.run(["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository of two commits with a link, an executable, a file that a filter would change, and odd names."""
    folder = tmp_path / "clone"
    (folder / "pkg" / "a").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "pkg" / "a" / "a.go").write_text("package a\n")
    (folder / "big.bin").write_bytes(b"\0" * 5000)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".gitattributes").write_text("*.go filter=evil\n")
    (folder / "中 文.txt").write_text("x")
    (folder / "inside").symlink_to("pkg/a")
    (folder / "outside").symlink_to("../../secret")
    (folder / "chain").symlink_to("inside/../../../secret")
    (folder / "loop").symlink_to("loop")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "pkg" / "a" / "a.go").write_text("package a // two\n")
    git(folder, "commit", "-q", "-am", "two")
    return folder


def head(clone: Path, name: str = "HEAD") -> str:
    return git(clone, "rev-parse", name)


def bare(clone: Path, folder: Path) -> Path:
    """HEAD, objects and refs, and no ``config``; not writable."""
    folder.mkdir()
    for name in ("HEAD", "objects", "refs"):
        source = clone / ".git" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


def lose(clone: Path, path: str) -> None:
    oid = git(clone, "rev-parse", f"HEAD:{path}")
    (clone / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


def test_it_writes_the_tree_of_a_commit(clone: Path, tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "ws", clone)
    one, two = (workspaces.checkout(head(clone, name), "r1") for name in ("HEAD~1", "HEAD"))
    assert (one.path / "pkg/a/a.go").read_text() == "package a\n"
    assert (two.path / "pkg/a/a.go").read_text() == "package a // two\n"
    assert (two.path / "中 文.txt").read_text() == "x"
    assert os.access(two.path / "run.sh", os.X_OK)
    assert two.commit == head(clone)
    assert two.missing == ()
    assert not (two.path / ".git").exists()


def commit_of(clone: Path, mode: str, *names: str) -> str:
    """A commit of one file below folders called ``names``, as only a program that is not git's would make it."""
    oid = head(clone, "HEAD:run.sh")
    for name in reversed(names):
        entry = f"{mode} {name}\0".encode() + bytes.fromhex(oid)
        words = ["git", "hash-object", "-w", "--literally", "-t", "tree", "--stdin"]
        oid = subprocess.run(words, cwd=clone, input=entry, check=True, capture_output=True).stdout.decode().strip()
        mode = "40000"
    return git(clone, "commit-tree", "-m", "odd", oid)


@pytest.mark.parametrize("names", [("git~1", "a.sh"), ("GIT~2",), (".g\u200cit", "a"), ("a:b",), ("c\\d",), ("aux",)])
def test_names_that_only_other_systems_refuse_are_checked_out(clone: Path, tmp_path: Path, names: list[str]) -> None:
    workspace = Workspaces(tmp_path / "ws", clone).checkout(commit_of(clone, "100755", *names), "r1")
    assert workspace.path.joinpath(*names).read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize(
    ("mode", "names"),
    [("100755", (".", "a")), ("100755", ("a", "..", "b")), ("100755", (".GIT", "a")), ("120000", (".gitmodules",))],
)
def test_a_tree_that_git_checks_out_in_part_only_is_refused(
    clone: Path, tmp_path: Path, mode: str, names: list[str]
) -> None:
    with pytest.raises(WorkspaceError, match=r"no checkout can have|in full: not"):
        Workspaces(tmp_path / "ws", clone).checkout(commit_of(clone, mode, *names), "r1")


def test_a_bare_read_only_repository_without_configuration_is_enough(clone: Path, tmp_path: Path) -> None:
    source = bare(clone, tmp_path / "bare")
    before = sorted((path, path.stat().st_mtime_ns) for path in source.rglob("*"))
    workspace = Workspaces(tmp_path / "ws", source).checkout(head(clone), "r1")
    assert (workspace.path / "pkg/a/a.go").is_file()
    assert sorted((path, path.stat().st_mtime_ns) for path in source.rglob("*")) == before
    objects = sum(path.stat().st_size for path in (tmp_path / "ws" / "mirrors").rglob("*") if path.is_file())
    assert objects < 1000, "objects are borrowed, not copied"


def test_a_tree_that_stands_for_billions_of_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo(tmp_path / "bomb")
    repo.commit()
    bomb = repo.bomb()
    monkeypatch.setattr(mirrors, "_MOST_OUTPUT", 4 << 20)
    with pytest.raises(WorkspaceError, match="git was ended after 4 MB"):
        Workspaces(tmp_path / "ws", repo.folder).checkout(bomb, "r1")


def test_objects_may_be_named_by_sha256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", str(tmp_path / "long"))
    (tmp_path / "long" / "a.txt").write_text("a")
    git(tmp_path / "long", "add", ".")
    git(tmp_path / "long", "commit", "-q", "-m", "one")
    workspace = Workspaces(tmp_path / "ws", tmp_path / "long").checkout(head(tmp_path / "long"), "r1")
    assert (workspace.path / "a.txt").read_text() == "a"


def test_a_linked_worktree_is_a_source(clone: Path, tmp_path: Path) -> None:
    git(clone, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert Workspaces(tmp_path / "ws", tmp_path / "linked").checkout(head(clone), "r1").missing == ()


def test_missing_contents_are_listed_and_the_rest_is_written(clone: Path, tmp_path: Path) -> None:
    lose(clone, "big.bin")
    workspaces = Workspaces(tmp_path / "ws", clone)
    for _ in range(2):  # the second one reads what the first one wrote down
        workspace = workspaces.checkout(head(clone), "r1")
        assert workspace.missing == ("big.bin",)
        assert not (workspace.path / "big.bin").exists()
        assert (workspace.path / "run.sh").is_file()


@pytest.mark.parametrize(
    ("lost", "needy"),
    [
        ("pkg/a/a.go", {"ut:pkg/a", "ut:pkg/b", "sca"}),
        ("pkg/a/data.txt", {"ut:pkg/a"}),
        ("cases/sums/a.sql", {"bvt:sums"}),
        ("resources/a.csv", {"bvt:sums", "bvt:joins"}),
        ("big.bin", set()),
    ],
)
def test_a_task_that_needs_what_the_repository_lacks_is_not_run(
    clone: Path, tmp_path: Path, lost: str, needy: set[str]
) -> None:
    for name in ("pkg/a/data.txt", "cases/sums/a.sql", "resources/a.csv"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(name)
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "three")
    lose(clone, lost)
    tree = Workspaces(tmp_path / "ws", clone).checkout(head(clone), "r1").path
    tasks = [TestTask(f"ut:{name}", Suite.UNIT_TEST, Priority.HIGH, (), package=name) for name in ("pkg/a", "pkg/b")]
    tasks += [TestTask(f"bvt:{name}", Suite.BVT, Priority.HIGH, (), category=name) for name in ("sums", "joins")]
    tasks.append(TestTask("sca", Suite.SCA, Priority.HIGH, (), analyser="vet"))
    runs = set()
    for task in tasks:
        with contextlib.suppress(WorkspaceError):
            check(tree, task, Profile(name="p", bvt=Bvt(cases="cases")))
            runs.add(task.id)
    assert runs == {task.id for task in tasks} - needy


def test_only_the_paths_asked_for(clone: Path, tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "ws", clone)
    workspace = workspaces.checkout(head(clone), "r1", only=("pkg/a", "run.sh"))
    assert {path.name for path in workspace.path.rglob("*") if path.is_file()} == {"a.go", "run.sh"}
    assert workspaces.checkout(head(clone), "r1").path != workspace.path


def test_configuration_hooks_and_filters_of_the_source_are_never_run(clone: Path, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    git(clone, "config", "filter.evil.smudge", f"touch {touched}; cat")
    git(clone, "config", "filter.evil.required", "true")
    git(clone, "config", "core.fsmonitor", f"touch {touched}")
    for hook in ("post-checkout", "post-index-change"):
        (clone / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {touched}\n")
        (clone / ".git" / "hooks" / hook).chmod(0o755)
    workspace = Workspaces(tmp_path / "ws", clone).checkout(head(clone), "r1")
    assert (workspace.path / "pkg/a/a.go").read_text() == "package a // two\n"
    assert not touched.exists()


def test_links_that_leave_the_tree_are_plain_files(clone: Path, tmp_path: Path) -> None:
    workspace = Workspaces(tmp_path / "ws", clone).checkout(head(clone), "r1")
    assert set(workspace.defused) == {"outside", "chain", "loop"}
    assert (workspace.path / "inside" / "a.go").is_file()
    assert (workspace.path / "outside").read_text() == "../../secret"
    assert not (workspace.path / "outside").is_symlink()


def evil_tree(clone: Path, name: bytes) -> str:
    """A commit whose tree holds ``name``, which git itself would not add."""
    oid = bytes.fromhex(git(clone, "rev-parse", "HEAD:run.sh"))
    (clone / "tree").write_bytes(b"100644 " + name + b"\0" + oid)
    tree = git(clone, "hash-object", "-w", "-t", "tree", "--literally", "tree")
    return git(clone, "commit-tree", tree, "-m", "evil")


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT"])
def test_a_tree_that_leaves_its_folder_is_refused(clone: Path, tmp_path: Path, name: bytes) -> None:
    with pytest.raises(WorkspaceError):
        Workspaces(tmp_path / "ws", clone).checkout(evil_tree(clone, name), "r1")
    assert not (tmp_path / "ws" / "runs" / "run.sh").exists()


@pytest.mark.parametrize("commit", ["main", "--help", "HEAD", "abc", "../x", "0" * 40])
def test_what_is_no_commit_of_the_repository_is_refused(clone: Path, tmp_path: Path, commit: str) -> None:
    with pytest.raises(WorkspaceError):
        Workspaces(tmp_path / "ws", clone).checkout(commit, "r1")


@pytest.mark.parametrize("run", ["", "..", "../x", "a/b", "-x", "a b"])
def test_a_run_that_cannot_be_a_folder_is_refused(clone: Path, tmp_path: Path, run: str) -> None:
    with pytest.raises(WorkspaceError):
        Workspaces(tmp_path / "ws", clone).checkout(head(clone), run)


def test_no_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is no git repository"):
        Workspaces(tmp_path / "ws", tmp_path).checkout("0" * 40, "r1")


def test_shards_share_one_tree_and_a_cut_short_one_is_made_anew(clone: Path, tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "ws", clone)
    first = workspaces.checkout(head(clone), "r1")
    (first.path / "generated").write_text("by a test")
    assert (workspaces.checkout(head(clone), "r1").path / "generated").exists()
    (first.path.parent / "complete.json").unlink()  # as after a crash
    (first.path / "run.sh").unlink()
    first.release()
    for lock in (tmp_path / "ws" / "locks").iterdir():
        lock.unlink()
    again = workspaces.checkout(head(clone), "r1")
    assert (again.path / "run.sh").exists()
    assert not (again.path / "generated").exists()


def _check_out(arguments: tuple[Path, Path, str]) -> tuple[str, int]:
    root, source, commit = arguments
    workspace = Workspaces(root, source).checkout(commit, "r1")
    return str(workspace.path), workspace.path.stat().st_ino


def test_processes_that_ask_at_once_get_one_tree(clone: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(4, mp_context=context) as pool:
        found = set(pool.map(_check_out, [(tmp_path / "ws", clone, head(clone))] * 8))
    assert len(found) == 1


def test_prune_removes_what_is_old_or_too_much_and_never_what_is_used(clone: Path, tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "ws", clone)
    used, old, new = (workspaces.checkout(head(clone), run) for run in ("used", "old", "new"))
    (used.path / "locked").mkdir(mode=0o500)
    for workspace in (used, old):
        marker = workspace.path.parent / "complete.json"
        os.utime(marker, (time.time() - 5000, time.time() - 5000))
    build_lock(old.path.parent).touch()
    old.release()
    new.release()
    assert workspaces.prune(max_age=3600) == 1
    assert (used.path.exists(), old.path.exists(), new.path.exists()) == (True, False, True)
    used.release()
    assert workspaces.prune(max_age=86400, keep=1) == 1
    assert (used.path.exists(), new.path.exists()) == (False, True)
    assert list((tmp_path / "ws" / "trash").iterdir()) == []
    assert len(list((tmp_path / "ws" / "locks").iterdir())) == 1
    assert isinstance(workspaces.checkout(head(clone), "old"), Workspace)


def test_waiting_for_a_workspace_can_be_cancelled(clone: Path, tmp_path: Path) -> None:
    workspaces = Workspaces(tmp_path / "ws", clone)
    lock = FileLock.open(tmp_path / "ws" / "locks" / f"r1@{head(clone)[:12]}.lock")
    assert lock.take(shared=False)
    with pytest.raises(CancelledError):
        workspaces.checkout(head(clone), "r1", cancelled=lambda: True)
    lock.close()
    assert workspaces.checkout(head(clone), "r1", cancelled=lambda: True).missing == ()


def test_a_disk_that_is_full_leaves_nothing_of_a_mirror_behind(tmp_path: Path) -> None:
    with disk_full(), pytest.raises(WorkspaceError, match="no mirror can be made"):
        _make(tmp_path / "mirror.git", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
