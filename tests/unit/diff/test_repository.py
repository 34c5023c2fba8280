from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from orchestrator.diff import git
from orchestrator.diff.source import from_repository
from orchestrator.domain.change import ChangeKind, DiffSummary
from orchestrator.domain.errors import BadDiffError, ToolMissingError, UnknownRunError, WorkspaceError
from orchestrator.planner.tree import GitTree
from tests.unit.diff.repo import Repo

ADDED, MODIFIED, DELETED, RENAMED = ChangeKind.ADDED, ChangeKind.MODIFIED, ChangeKind.DELETED, ChangeKind.RENAMED
BODY = "".join(f"\tx{number}()\n" for number in range(20))
GO = f"package p\n\nfunc F() {{\n{BODY}}}\n\nfunc (t *T) G() {{\n{BODY}}}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose ``main`` holds one Go file."""
    made = Repo(tmp_path / "work")
    made.write("pkg/p/x.go", GO)
    made.commit()
    return made


def kinds(summary: DiffSummary) -> list[tuple[str, ChangeKind]]:
    return [(file.path, file.change_kind) for file in summary.files]


def test_functions_come_from_the_real_files(repo: Repo) -> None:
    repo.write("pkg/p/x.go", GO.replace("func F() {\n\tx0()\n", "func H() {\n\tx0()\n"))
    head = repo.commit()
    summary = from_repository(repo.folder, "HEAD~", "main")
    assert summary.files[0].functions == ("F", "H")
    assert (summary.files[0].package, summary.total_added, summary.total_deleted) == ("pkg/p", 1, 1)
    assert summary.head_commit == head
    assert summary.base_commit == repo.git("rev-parse", "HEAD~").decode().strip()
    assert summary.head_time == "2023-11-14T22:13:20Z"
    assert summary.warnings == ()


def test_the_diff_starts_at_the_merge_base(repo: Repo) -> None:
    repo.git("switch", "-q", "-c", "topic")
    repo.write("new.go", "package p\n\nfunc New() {}\n")
    repo.commit()
    repo.git("switch", "-q", "main")
    repo.write("other.go", "package p\n")
    main = repo.commit()
    summary = from_repository(repo.folder, "main", "topic")
    assert kinds(summary) == [("new.go", ADDED)]
    assert summary.base_commit == main


def test_all_kinds_of_change_are_told(repo: Repo) -> None:
    for path in ("gone.go", "mode.sh", "中 文.txt", "became-link"):
        repo.write(path, f"package p\n\nfunc Old() {{}}\n// {path}\n" * 3)
    repo.write("picture", bytes(range(256)))
    repo.commit()
    repo.git("rm", "-q", "gone.go")
    repo.git("mv", "中 文.txt", 'tab\tline\nquote".txt')
    (repo.folder / "mode.sh").chmod(0o755)
    (repo.folder / "became-link").unlink()
    (repo.folder / "became-link").symlink_to("x")
    repo.write("picture", bytes(reversed(range(256))))
    repo.write(b"latin\xe9.go", "package p\n")
    repo.write("empty", "")
    (repo.folder / "sub").mkdir()
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    repo.commit()
    summary = from_repository(repo.folder, "HEAD~", "HEAD")
    assert kinds(summary) == [
        ("became-link", MODIFIED),
        ("empty", ADDED),
        ("gone.go", DELETED),
        ("latin\udce9.go", ADDED),
        ("mode.sh", MODIFIED),
        ("picture", MODIFIED),
        ("sub", ADDED),
        ('tab\tline\nquote".txt', RENAMED),
    ]
    by_path = {file.path: file for file in summary.files}
    assert by_path["gone.go"].functions == ("Old",)
    assert by_path["picture"].binary
    assert by_path['tab\tline\nquote".txt'].old_path == "中 文.txt"


def test_renames_are_found_and_copies_are_not(repo: Repo) -> None:
    repo.git("mv", "pkg/p/x.go", "pkg/q.go")
    repo.write("pkg/q.go", GO.replace("\tx7()\n", "\ty()\n", 1))
    repo.write("copy.go", GO)
    repo.commit()
    repo.write("copied.go", GO)
    repo.commit()
    first = from_repository(repo.folder, "HEAD~2", "HEAD~")
    assert (("copy.go", RENAMED) in kinds(first)) ^ (("pkg/q.go", RENAMED) in kinds(first))
    assert kinds(from_repository(repo.folder, "HEAD~", "HEAD")) == [("copied.go", ADDED)]


HOSTILE = """
[diff]
	renames = copies
	external = /bin/false
	noprefix = true
	mnemonicPrefix = true
	algorithm = patience
	context = 0
	orderFile = /nowhere
	suppressBlankEmpty = true
	relative = true
	interHunkContext = 50
	wsErrorHighlight = all
	colorMoved = zebra
	submodule = log
	ignoreSubmodules = all
[color]
	ui = always
	diff = always
[core]
	quotePath = false
	pager = /bin/false
	attributesFile = ATTRIBUTES
[diff "odd"]
	textconv = /bin/false
	command = /bin/false
	binary = true
	xfuncname = "^nothing$"
"""


def test_no_configuration_changes_the_answer(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("中.go", GO)
    repo.git("mv", "pkg/p/x.go", "pkg/y.go")
    repo.write("pkg/y.go", GO.replace("\tx7()\n", "\n", 1))
    repo.commit()
    clean = from_repository(repo.folder, "HEAD~", "HEAD")
    attributes = tmp_path / "attributes"
    attributes.write_text("* diff=odd\n*.go -diff\n")
    hostile = HOSTILE.replace("ATTRIBUTES", str(attributes))
    (tmp_path / ".gitconfig").write_text(hostile)
    with (repo.folder / ".git" / "config").open("a") as file:
        file.write(hostile)
    (repo.folder / ".git" / "info").mkdir(exist_ok=True)
    shutil.copy(attributes, repo.folder / ".git" / "info" / "attributes")
    shutil.copy(attributes, repo.folder / ".gitattributes")
    monkeypatch.chdir(repo.folder)
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    for name, value in {
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / ".gitconfig"),
        "GIT_CONFIG_SYSTEM": str(tmp_path / ".gitconfig"),
        "GIT_CONFIG_PARAMETERS": "'diff.noprefix=true'",
        "GIT_EXTERNAL_DIFF": "/bin/false",
        "GIT_DIFF_OPTS": "-u0",
        "GIT_DIR": "/nowhere",
        "GIT_OBJECT_DIRECTORY": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    assert from_repository(repo.folder, "HEAD~", "HEAD") == clean
    assert (len(clean.files), clean.total_added > 0) == (2, True)


def test_a_bare_folder_of_head_objects_and_refs_is_enough(repo: Repo, tmp_path: Path) -> None:
    repo.write("y.go", GO)
    repo.commit()
    repo.git("pack-refs", "--all")
    bare = tmp_path / "bare"
    bare.mkdir()
    for part in ("objects", "refs"):
        shutil.copytree(repo.folder / ".git" / part, bare / part)
    for part in ("HEAD", "packed-refs"):
        shutil.copy(repo.folder / ".git" / part, bare / part)
    for path in bare.rglob("*"):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = sorted(path for path in bare.rglob("*"))
    assert kinds(from_repository(bare, "main~", "main")) == [("y.go", ADDED)]
    assert sorted(path for path in bare.rglob("*")) == before


@pytest.mark.usefixtures("root")
def test_a_repository_of_another_user_is_read(repo: Repo) -> None:
    repo.write("y.go", GO)
    repo.commit()
    for path in (repo.folder, *repo.folder.rglob("*")):
        os.chown(path, 12345, 12345)
    assert kinds(from_repository(repo.folder, "main~", "main")) == [("y.go", ADDED)]


def test_a_linked_worktree_and_a_folder_inside_are_found(repo: Repo, tmp_path: Path) -> None:
    repo.write("y.go", GO)
    repo.commit()
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    for folder in (repo.folder / "pkg" / "p", tmp_path / "linked", tmp_path / "linked" / "pkg", repo.folder / ".git"):
        assert kinds(from_repository(folder, "HEAD~", "HEAD")) == [("y.go", ADDED)]


def test_objects_may_be_borrowed_or_of_sha256(repo: Repo, tmp_path: Path) -> None:
    repo.write("y.go", GO)
    repo.commit()
    repo.git("clone", "-q", "--shared", "--bare", ".", str(tmp_path / "shared"))
    assert kinds(from_repository(tmp_path / "shared", "main~", "main")) == [("y.go", ADDED)]
    longer = Repo(tmp_path / "longer")
    shutil.rmtree(longer.folder / ".git")
    longer.git("init", "-q", "-b", "main", "--object-format=sha256")
    longer.commit()
    longer.write("y.go", GO)
    longer.commit()
    summary = from_repository(longer.folder, "main~", "main")
    assert summary.files[0].functions == ("F", "T.G")
    assert len(summary.head_commit or "") == 64


def test_missing_contents_cost_only_their_own_lines(repo: Repo) -> None:
    for name in ("large", "moved", "x"):
        repo.write(f"{name}.go", GO + f"// {name}\n")
    repo.commit()
    repo.write("x.go", GO)
    repo.write("large.go", GO)
    repo.git("mv", "moved.go", "there.go")
    repo.commit()
    repo.object_file("HEAD~:large.go").unlink()
    repo.object_file("HEAD:there.go").unlink()
    summary = from_repository(repo.folder, "HEAD~", "HEAD")
    assert kinds(summary) == [("large.go", MODIFIED), ("there.go", RENAMED), ("x.go", MODIFIED)]
    assert [file.deleted for file in summary.files] == [0, 0, 1]
    assert any("'large.go' is not in this clone" in warning for warning in summary.warnings)


def test_a_missing_folder_is_an_error_with_words(repo: Repo) -> None:
    repo.write("pkg/p/y.go", GO)
    repo.commit()
    repo.object_file("HEAD:pkg").unlink()
    with pytest.raises(WorkspaceError, match="lacks a folder"):
        from_repository(repo.folder, "HEAD~", "HEAD")


def test_nothing_is_fetched_for_a_partial_clone(repo: Repo, tmp_path: Path) -> None:
    repo.write("large.go", GO)
    repo.commit()
    repo.write("large.go", GO + "// more\n")
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    url = f"file://{repo.folder}"
    repo.git("clone", "-q", "--bare", "--filter=blob:none", url, str(tmp_path / "partial"))
    before = sorted((tmp_path / "partial" / "objects").rglob("*"))
    summary = from_repository(tmp_path / "partial", "main~", "main")
    assert kinds(summary) == [("large.go", MODIFIED)]
    assert summary.warnings
    assert sorted((tmp_path / "partial" / "objects").rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["", "-x", "^main", "--output=/tmp/x", "main..HEAD", "ma\nin", "nul\0", "nowhere", "HEAD:pkg"]
)
def test_what_names_no_commit_is_refused_by_name(repo: Repo, name: str) -> None:
    for base, head in ((name, "main"), ("main", name)):
        with pytest.raises(UnknownRunError) as caught:
            from_repository(repo.folder, base, head)
        assert repr(name) in caught.value.message
        assert caught.value.remedy


def test_histories_without_an_ancestor_are_told(repo: Repo) -> None:
    repo.git("switch", "-q", "--orphan", "island")
    repo.commit()
    with pytest.raises(BadDiffError, match="no common ancestor"):
        from_repository(repo.folder, "main", "island")


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(WorkspaceError, match="no git repository"):
            from_repository(folder, "a", "b")


def test_a_broken_configuration_is_told_in_gits_words(repo: Repo) -> None:
    (repo.folder / ".git" / "config").write_text("[broken\n")
    with pytest.raises(WorkspaceError, match="bad config"):
        from_repository(repo.folder, "main", "main")


def test_a_host_without_git_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissingError, match="git is not on the PATH"):
        from_repository(repo.folder, "main", "main")


def test_where_the_memory_of_another_process_cannot_be_bounded_changes_are_read(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("resource.prlimit")  # as on macOS
    assert GitTree(repo.folder, repo.git("rev-parse", "HEAD").decode().strip()).files(".")


def test_a_tree_that_stands_for_billions_of_files_costs_bounded_memory(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = repo.bomb()
    monkeypatch.setattr(git, "_MOST_MEMORY", 64 << 20)
    with pytest.raises(WorkspaceError, match="git needs more than 64 MB"):
        from_repository(repo.folder, "main", bomb)
    monkeypatch.setattr(git, "_MOST_OUTPUT", 4 << 20)
    with pytest.raises(WorkspaceError, match="git answers more than 4 MB"):
        GitTree(repo.folder, bomb).files(".")


def test_equal_revisions_change_nothing(repo: Repo) -> None:
    summary = from_repository(repo.folder, "main", "main")
    assert summary.files == ()
    assert any("nothing changed" in warning for warning in summary.warnings)


def test_the_answer_is_the_same_each_time(repo: Repo) -> None:
    for number in range(20):
        repo.write(f"f{number}.go", f"package p\n\nfunc F{number}() {{}}\n\nfunc G() {{}}\n")
    repo.commit()
    assert from_repository(repo.folder, "main~", "main") == from_repository(repo.folder, "main~", "main")
