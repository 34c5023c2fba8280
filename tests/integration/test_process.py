"""The supervisor against real process trees: nothing survives that should not."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks.rig.processes import MARK, command_line, command_lines, lives, marked
from orchestrator.domain.errors import InfrastructureError, ToolMissingError
from tests.require import require
from tests.waiting import until
from workers.process import Command, Exit, Limits, Reason, Stream, run, scrub, supervisor
from workers.process.group import Group
from workers.process.table import below, processes
from workers.sandbox import View, available

#: Seconds by which something has happened that the test caused; what it waits for would last a minute by itself.
ITSELF = 30.0


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}-{os.getpid()}-{time.time_ns()}"


def command(*argv: str, cwd: Path, mark: str = "", timeout: float = 20, limits: Limits | None = None) -> Command:
    env = scrub({**os.environ, MARK: mark}, home=cwd, tmp=cwd)
    return Command(argv=argv, cwd=cwd, env=env, timeout=timeout, limits=limits or Limits())


class Lines:
    """Collects lines by stream."""

    def __init__(self) -> None:
        self.by: dict[Stream, list[str]] = {Stream.STDOUT: [], Stream.STDERR: []}

    def __call__(self, stream: Stream, line: str) -> None:
        self.by[stream].append(line)


def sh(script: str, cwd: Path, mark: str = "", timeout: float = 20, limits: Limits | None = None) -> tuple[Exit, Lines]:
    lines = Lines()
    return run(command("sh", "-c", script, cwd=cwd, mark=mark, timeout=timeout, limits=limits), lines), lines


def test_it_tells_lines_by_stream_and_how_it_ended(tmp_path: Path) -> None:
    done, lines = sh("echo out; echo err >&2; printf last; exit 3", tmp_path)
    assert (done.code, done.signal, done.reason, done.passed) == (3, None, Reason.EXITED, False)
    assert lines.by == {Stream.STDOUT: ["out", "last"], Stream.STDERR: ["err"]}
    done, _ = sh("kill -SEGV $$", tmp_path)
    assert (done.code, done.signal, done.words) == (None, signal.SIGSEGV, "signal 11")


def test_the_last_words_are_heard_however_late_we_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "DRAIN", 0.0)  # a machine that gave us no turn for that long
    lines = Lines()

    def hear(stream: Stream, line: str) -> None:
        lines(stream, line)
        if line.isdecimal():
            until(lambda: not processes()[int(line)].lives, seconds=ITSELF)

    run(command("sh", "-c", "echo $$; sleep 0.1; echo last; echo words >&2", cwd=tmp_path), hear)
    assert (lines.by[Stream.STDOUT][1:], lines.by[Stream.STDERR]) == (["last"], ["words"])


def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    lines = Lines()
    words = ("a b", "$HOME", "`id`", "'\"", "-n", "中文", "")
    run(command("python3", "-c", "import sys; print(sys.argv[1:])", *words, cwd=tmp_path), lines)
    assert lines.by[Stream.STDOUT] == [str(list(words))]


def test_bytes_that_are_no_text_and_over_long_lines_are_survived(tmp_path: Path) -> None:
    done, lines = sh(
        r"printf '\377\n'; head -c 3000 /dev/zero | tr '\0' x; echo; echo ok", tmp_path, limits=Limits(line=1000)
    )
    assert done.passed
    first, long, last = lines.by[Stream.STDOUT]
    assert first == "\ufffd"
    assert long == "x" * 1000 + " … [line cut]"
    assert last == "ok"


def test_a_flood_without_newlines_neither_blocks_nor_fills_memory(tmp_path: Path) -> None:
    done, lines = sh("head -c 100000000 /dev/zero", tmp_path)
    assert done.passed
    assert done.output == 100_000_000
    assert len(lines.by[Stream.STDOUT]) == 1


def test_more_memory_than_all_its_processes_may_have_together_ends_it(tmp_path: Path, mark: str) -> None:
    hold = f"{sys.executable} -c 'import time; held = bytearray(60 << 20); time.sleep(60)'"
    done, _ = sh(f"{hold} & {hold} & wait", tmp_path, mark, limits=Limits(tree_memory=100 << 20))
    assert done.reason is Reason.MEMORY
    assert done.memory > 100 << 20
    assert "MiB of memory" in done.stopped(20)
    assert not marked(mark)


def test_the_memory_of_processes_that_left_the_session_counts(tmp_path: Path, mark: str) -> None:
    hold = f"{sys.executable} -c 'import time; held = bytearray(60 << 20); time.sleep(60)'"
    for detour in (
        f"setsid {hold} & setsid {hold} & wait",
        f"(setsid env -i {hold} &); (setsid env -i {hold} &); sleep 60",
    ):
        done, _ = sh(detour, tmp_path, mark, limits=Limits(tree_memory=100 << 20))
        assert done.reason is Reason.MEMORY


def test_more_output_than_allowed_ends_it(tmp_path: Path, mark: str) -> None:
    done, _ = sh("yes & yes >&2", tmp_path, mark, limits=Limits(output=1 << 20))
    assert done.reason is Reason.OUTPUT_LIMIT
    assert done.output < 2 << 20
    assert not marked(mark)


def test_a_tree_that_ignores_term_is_killed_after_the_deadline(tmp_path: Path, mark: str) -> None:
    done, _ = sh("trap '' TERM; sleep 60 & sleep 60; sleep 60", tmp_path, mark, timeout=0.3)
    assert (done.reason, done.signal) == (Reason.DEADLINE, signal.SIGKILL)
    assert 0.3 <= done.stop_seconds < ITSELF
    assert done.survivors == 0
    assert not marked(mark)


def test_a_cancel_is_looked_for_all_the_time(tmp_path: Path, mark: str) -> None:
    asked: list[None] = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) > 10

    done = run(command("sleep", "60", cwd=tmp_path, mark=mark), Lines(), cancelled)
    assert (done.reason, done.signal) == (Reason.CANCELLED, signal.SIGTERM)
    assert len(asked) == 11, "a cancel that was answered is not asked for again"
    assert not marked(mark)


def test_what_was_cancelled_before_does_not_start(tmp_path: Path) -> None:
    done, touched = run(command("touch", "x", cwd=tmp_path), Lines(), lambda: True), tmp_path / "x"
    assert done.reason is Reason.CANCELLED
    assert not touched.exists()


def test_a_daemon_left_behind_is_killed_even_after_a_good_end(tmp_path: Path, mark: str) -> None:
    start = time.monotonic()
    done, _ = sh("sleep 60 & nohup sleep 61 & exit 0", tmp_path, mark)
    assert done.passed
    assert time.monotonic() - start < ITSELF, "a daemon that holds the pipes must not be waited for"
    assert not marked(mark)


def test_a_daemon_that_left_the_session_is_found_by_its_cookie(tmp_path: Path, mark: str) -> None:
    done, _ = sh("setsid sleep 60 & sleep 0.2", tmp_path, mark)
    assert done.passed
    assert until(lambda: not marked(mark), seconds=ITSELF)


@pytest.mark.parametrize("detour", ["setsid env -i sh -c 'sleep 6{me} & :' &", "(setsid env -i sleep 6{me} &);"])
def test_a_daemon_that_hides_from_its_parents_and_its_environment_is_found_by_descent(
    tmp_path: Path, detour: str
) -> None:
    done, _ = sh(f"{detour.format(me=os.getpid())} sleep 0.2", tmp_path)
    assert (done.passed, done.survivors) == (True, 0)
    assert not hidden()


def test_a_group_that_ends_leaves_other_groups_and_our_own_children_alone(tmp_path: Path) -> None:
    own = subprocess.Popen(["sleep", "60"], start_new_session=True)
    other = Group(command("sh", "-c", "setsid sleep 60 & (sleep 60 &); sleep 60", cwd=tmp_path))
    try:
        until(lambda: len(sleepers(other.pid)) == 3, seconds=ITSELF)
        before = sleepers(other.pid)
        assert sh("(setsid env -i sleep 60 &); sleep 0.1", tmp_path)[0].passed
        assert sleepers(other.pid) == before
        assert own.poll() is None
    finally:
        assert other.close()[1] == 0
        own.kill()
        own.wait()


def test_who_waits_for_the_end_of_a_daemon_is_not_kept_waiting_by_a_zombie(tmp_path: Path) -> None:
    done, _ = sh("pid=$( (setsid sleep 0.1 >&2 & echo $!) ); while kill -0 $pid; do sleep 0.05; done", tmp_path)
    assert done.passed


def hidden() -> list[str]:
    """Command lines of living processes that sleep for a time only this test asks for."""
    return [line for line in command_lines() if line == f"sleep 6{os.getpid()}"]


def sleepers(leader: int) -> set[int]:
    """Those of the descendants that have become what they sleep as."""
    return {pid for pid in descendants(leader) if command_line(pid) == "sleep 60"}


def descendants(leader: int) -> set[int]:
    """The session of ``leader``, and what is below it."""
    table = processes()
    return below(table, [pid for pid, one in table.items() if one.session == leader])


def test_an_error_of_the_listener_ends_the_tree_and_is_passed_on(tmp_path: Path, mark: str) -> None:
    def fail(_: Stream, line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="boom"):
        run(command("sh", "-c", "echo boom; sleep 60", cwd=tmp_path, mark=mark), fail)
    assert not marked(mark)


@pytest.mark.parametrize("call", ["pidfd_open", "pipe"])
def test_a_worker_without_descriptors_leaves_nothing_behind_that_nobody_watches(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        with pytest.raises(InfrastructureError, match="Too many open files"):
            sh("sleep 60", tmp_path, mark)
    assert not marked(mark)


def test_it_leaves_no_descriptors_behind(tmp_path: Path) -> None:
    sh("true", tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        sh("echo x", tmp_path)
        with pytest.raises(ToolMissingError):
            run(command("no-such-program", cwd=tmp_path), Lines())
        with pytest.raises(InfrastructureError):
            run(command("true", cwd=tmp_path / "gone"), Lines())
    assert len(list(Path("/proc/self/fd").iterdir())) <= before  # others of this process may close theirs meanwhile


def test_limits_are_set(tmp_path: Path) -> None:
    _, lines = sh("ulimit -c; ulimit -n; ulimit -f", tmp_path, limits=Limits(open_files=100, file_size=1 << 20))
    assert lines.by[Stream.STDOUT] == ["0", "100", "2048"]
    done, _ = sh("head -c 2000000 /dev/zero > big", tmp_path, limits=Limits(file_size=1 << 20))
    assert not done.passed
    assert (tmp_path / "big").stat().st_size == 1 << 20


def test_nothing_of_the_workers_environment_or_files_is_inherited(tmp_path: Path) -> None:
    secret = {"MO_TESTPLAN_REDIS_URL": "x", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONPATH": "x", MARK: "m"}
    env = scrub({"PATH": os.environ["PATH"], **secret}, home=tmp_path, tmp=tmp_path, extra={"OWN": "1"})
    lines = Lines()
    script = "cut -d= -f1 /proc/self/environ -z | tr '\\0' '\\n' | sort; ls /proc/self/fd"
    with (tmp_path / "open").open("wb") as held:
        os.set_inheritable(held.fileno(), True)
        run(Command(argv=("sh", "-c", script), cwd=tmp_path, env=env, timeout=5), lines)
    names = [line for line in lines.by[Stream.STDOUT] if not line.isdigit() and "=" not in line]
    assert set(names) == {"HOME", "LANG", MARK, "MO_SPAWN", "OWN", "PATH", "PWD", "TMPDIR"}
    assert [line for line in lines.by[Stream.STDOUT] if line.isdigit()] == ["0", "1", "2", "3"]  # 3 is ls reading


def test_signals_that_a_pool_process_ignores_work_for_its_programs(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done, _ = sh("kill -INT $$; exit 0", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.signal == signal.SIGINT


def test_many_threads_may_run_at_once(tmp_path: Path) -> None:
    results: list[Exit] = []
    threads = [
        threading.Thread(target=lambda: results.append(sh("sleep 0.2; echo done", tmp_path)[0])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.passed for done in results] == [True] * 8


WORKER = """
import os, sys, time
from pathlib import Path
from workers.process import Command, run, scrub
cwd = Path(sys.argv[1])
env = scrub(os.environ, home=cwd, tmp=cwd)
script = "trap '' TERM HUP INT; sleep 60 & sh -c 'sleep 61 & sleep 62' & setsid sleep 63 & env -i sleep 65 & "
# a watcher that TERM takes along could not see to the end of a worker killed between TERM and KILL
script += "echo $! > bare; kill -TERM 0; kill -HUP 0; kill -INT 0; echo started; wait; sleep 64"
if sys.argv[2] == "pool":  # as Celery's prefork does: the parent only waits, and forks a second child later
    if os.fork():
        time.sleep(60)
def on_line(stream, line):
    if os.fork() == 0:  # a sibling of the pool, forked while the tree runs: it must not keep the tree alive
        time.sleep(5)
        os._exit(0)
    (cwd / "pid").write_text(str(os.getpid()))
run(Command(argv=("sh", "-c", script), cwd=cwd, env=env, timeout=60), on_line)
"""


@pytest.mark.parametrize("victim", ["worker", "pool child"])
def test_killing_the_worker_kills_every_descendant(tmp_path: Path, mark: str, victim: str) -> None:
    """``kill -9`` of the process that supervises: only the death pipe can notice."""
    mode = "pool" if victim == "pool child" else "plain"
    environ = {**os.environ, MARK: mark, "PYTHONPATH": os.pathsep.join(sys.path)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), mode], env=environ)
    try:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), seconds=ITSELF)
        sleeping = {"sleep 60", "sleep 61", "sleep 62", "sleep 63"}
        until(lambda: sleeping <= set(tree_lines(mark)), seconds=ITSELF)
        bare = int((tmp_path / "bare").read_text())  # in the group, with nothing in its environment to find it by
        assert lives(bare)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        assert until(lambda: not tree_lines(mark) and not lives(bare), "all below it is dead", seconds=ITSELF)
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        worker.kill()
        worker.wait()


def test_a_program_that_is_asked_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    """The shell that becomes it ignores nothing, not for a moment; its watcher ignores all from its first word on."""
    for _ in range(20):
        group = Group(command("sleep", "60", cwd=tmp_path))
        try:
            group.signal(signal.SIGTERM)
            assert until(group.exited, "it has ended", seconds=ITSELF)
        finally:
            group.close()


def tree_lines(mark: str) -> list[str]:
    """Command lines of the marked processes that are not the worker itself."""
    lines = map(command_line, marked(mark))
    return [line for line in lines if line and "workers.process" not in line]


def test_in_the_sandbox_a_linked_folder_of_a_checkout_is_seen(tmp_path: Path, mark: str) -> None:
    require("bubblewrap")
    sandbox = available()
    assert sandbox is not None
    for name in ("checkout", "venv/bin", "own"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "words").write_text("seen")
    link = tmp_path / "checkout" / ".venv"
    link.symlink_to(tmp_path / "venv")
    own = tmp_path / "own"
    plain = command("cat", str(link / "bin" / "words"), cwd=own, mark=mark)
    argv = sandbox.wrap(plain.argv, View(cwd=own, tmp=own, writable=(own,), readable=(tmp_path / "checkout", link)))
    heard = Lines()
    run(Command(argv=argv, cwd=own, env=plain.env, timeout=60), heard)
    assert heard.by == {Stream.STDOUT: ["seen"], Stream.STDERR: []}


def test_in_the_sandbox_even_a_process_that_hides_dies_with_it(tmp_path: Path, mark: str) -> None:
    require("bubblewrap")
    sandbox = available()
    assert sandbox is not None
    script = f"env -i setsid sleep 6{os.getpid()} & sleep 0.2; echo up; sleep 60"
    plain = command("sh", "-c", script, cwd=tmp_path, mark=mark, timeout=1)
    argv = sandbox.wrap(plain.argv, View(cwd=tmp_path, tmp=tmp_path, writable=(tmp_path,)))
    done = run(Command(argv=argv, cwd=tmp_path, env=plain.env, timeout=1), Lines())
    assert done.reason is Reason.DEADLINE
    assert done.stop_seconds < 1
    assert not hidden()
