"""Run SQL cases against servers that speak the MySQL protocol, and judge the answers as mo-tester does.

A case is a script (.sql, .test) and the result file recorded for it. By default nothing that was on the server before
is touched: the run drops what it made, and a script that drops something else is stopped.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePath
from types import FrameType
from typing import TextIO

from orchestrator.cases.discover import find_scripts, result_paths, selected
from orchestrator.domain.errors import (
    EXIT_CANCELLED,
    EXIT_FAILED,
    EXIT_INFRASTRUCTURE,
    EXIT_PASSED,
    BadCaseError,
    MoTestplanError,
    UsageError,
)
from orchestrator.domain.options import percent, positive, seconds
from workers.bvt import NO_SCRIPT
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.execute import Options
from workers.bvt.fleet import Execute, Fleet, Listeners, units_of
from workers.bvt.report.jsonl import JsonDocument, JsonLines
from workers.bvt.report.junit import JUnit
from workers.bvt.report.motester import MoTesterReport
from workers.bvt.report.page import Page
from workers.bvt.report.text import Text, tamed
from workers.bvt.resources import remove_outfiles, resources_of
from workers.bvt.results import Listener, ScriptResult, success_rate
from workers.bvt.runner import Case, Runner
from workers.bvt.wire import Limits

#: Server addresses, separated by blanks, when no --dsn is given: keeps passwords off the process list.
DSN_VARIABLE = "MO_TESTPLAN_BVT_DSN"
#: Seconds a server that we start may take to answer.
_STARTUP = 300.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``cases run``."""
    parser.add_argument("path", metavar="PATH", help="a script, or a directory of scripts")
    parser.add_argument(
        "--dsn", action="append", metavar="URL", help="mysql://user:password@host:port; several times: several servers"
    )
    parser.add_argument("--server", choices=["mariadb", "embedded"], help="start a server of our own instead of --dsn")
    parser.add_argument(
        "--launch",
        metavar="COMMAND",
        help="start a server by this command instead: {port} is the port it must take, {port2} … {port9} are further "
        "ones, {directory} is a private directory; --dsn then tells its account",
    )
    parser.add_argument("--method", choices=["run", "genrs"], default="run", help="judge, or record results")
    parser.add_argument("--out", type=Path, metavar="DIR", help="genrs: write result files below DIR")
    parser.add_argument("--in-place", action="store_true", help="genrs: write result files beside their scripts")
    parser.add_argument("--compare", choices=["compat", "strict", "both"], default="compat")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FILE", help="only this script, relative to PATH"
    )
    parser.add_argument("--include", action="append", default=[], metavar="TEXT", help="only paths that contain TEXT")
    parser.add_argument("--exclude", action="append", default=[], metavar="TEXT", help="no paths that contain TEXT")
    parser.add_argument("--resources", metavar="DIR", help="what $resources stands for")
    parser.add_argument("--rate", type=percent, default=100, metavar="PERCENT", help="success rate that still exits 0")
    parser.add_argument("--nometa", action="store_true", help="do not compare types, precision and scale")
    parser.add_argument("--ignore-issues", action="store_true", help="leave out what is marked -- @bvt:issue")
    parser.add_argument(
        "--reset-server", action="store_true", help="drop every foreign database first, as mo-tester does"
    )
    parser.add_argument("--allow-drops", action="store_true", help="let scripts drop and change what was there before")
    parser.add_argument("--allow-system", action="store_true", help="run the commands of -- @system lines")
    parser.add_argument("--format", choices=["text", "json", "jsonl", "junit"], default="text")
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="also write report.txt, error.txt, success.txt, HTML, JUnit"
    )
    parser.add_argument(
        "--order-group", action="append", default=[], metavar="A,B", help="categories to keep in this order"
    )
    parser.add_argument("--statement-timeout", type=seconds, default=120.0, metavar="S")
    parser.add_argument("--script-timeout", type=seconds, default=3600.0, metavar="S")
    parser.add_argument("--wait-time", type=seconds, default=2.0, metavar="S", help="what -- @wait waits")
    parser.add_argument(
        "--max-rows", type=positive, default=1_000_000, metavar="N", help="rows after which a result set is endless"
    )


def run(args: argparse.Namespace) -> int:
    """Run; the exit code says the verdict. Raises MoTestplanError."""
    cases = find_cases(args.path, args.include, args.exclude, args.only)
    found = {case.file.relative_to(args.path) for case in cases}
    for name in args.only:
        if PurePath(name) not in found:
            _log(f"--only {name}: there is no such script to run in {args.path}")
    if args.method == "run" and (args.out or args.in_place):
        raise UsageError("--out and --in-place say where genrs writes", "Add --method genrs, or leave them out.")
    if args.method == "genrs" and (args.out is None) == (not args.in_place):
        raise UsageError(
            "genrs must know where to write", "Name --out DIR, or say --in-place to write beside the scripts."
        )
    resources = args.resources or resources_of(args.path)
    if args.reset_server:
        remove_outfiles(resources)
    options = options_of(args, resources)
    stop = threading.Event()
    with ExitStack() as stack:
        stack.callback(_on_signals(stop))
        dsns = _servers(args, stack, stop)
        listeners = Listeners(_listeners(args))
        runners = [Runner(dsn, options, listeners, stop, _log) for dsn in dsns]
        return _run(args, cases, Fleet(runners, stop, _execute(args)), listeners, len(dsns))


def find_cases(
    root: str, include: Sequence[str] = (), exclude: Sequence[str] = (), only: Sequence[str] = ()
) -> list[Case]:
    """The scripts below ``root`` that are to run. Raises BadCaseError when there is none."""
    top = Path(root).resolve() if Path(root).is_dir() else None
    names = frozenset(map(PurePath, only))
    wanted = [part for text in include for part in text.split(",") if part]
    unwanted = [part for text in exclude for part in text.split(",") if part]
    cases = []
    for file in find_scripts(Path(root)):
        if names and file.relative_to(root) not in names:
            continue
        if selected(str(file), wanted, unwanted):
            path = PurePath(top.name, file.relative_to(root)).as_posix() if top else root
            cases.append(Case(file, path, top.parent if top else None))
    if not cases:
        raise BadCaseError(f"{NO_SCRIPT} {root}", "Scripts end in .sql or .test; look at --include and --exclude.")
    return cases


def options_of(args: argparse.Namespace, resources: str) -> Options:
    """How scripts run."""
    return Options(
        compare=args.compare,
        metadata=not args.nometa,
        ignore_issues=args.ignore_issues,
        allow_system=args.allow_system,
        reset=args.reset_server,
        allow_drops=args.allow_drops,
        drop_made=True,
        resources=resources,
        statement_timeout=args.statement_timeout,
        script_timeout=args.script_timeout,
        wait_time=args.wait_time,
        limits=Limits(rows=args.max_rows),
    )


def _run(args: argparse.Namespace, cases: list[Case], fleet: Fleet, listeners: Listeners, servers: int) -> int:
    groups = [group.split(",") for group in args.order_group]
    try:
        results = fleet.run(units_of(cases, groups, servers))
    finally:
        done = fleet.results
        listeners.close([done.get(case.path) or ScriptResult(case.path, ended=False) for case in cases])
    if args.method == "genrs":
        return EXIT_PASSED if all(result.recorded for result in results.values()) else EXIT_FAILED
    return verdict([results[case.path] for case in cases], args.rate, strict=args.compare == "strict")


def verdict(scripts: Sequence[ScriptResult], rate: int, *, strict: bool) -> int:
    """Exit 0 when enough commands passed."""
    return EXIT_PASSED if success_rate(scripts) >= rate else EXIT_FAILED


def _execute(args: argparse.Namespace) -> Execute:
    if args.method == "run":
        return lambda runner, case: runner.run(case)
    return lambda runner, case: runner.record(case, _target(args, case))


def _target(args: argparse.Namespace, case: Case) -> Path:
    beside = result_paths(case.path)[0]
    if args.in_place:
        return case.base / beside if case.base else Path(beside)
    return Path(args.out, *([] if case.base else [Path(beside).name]), *(Path(beside).parts if case.base else []))


def _servers(args: argparse.Namespace, stack: ExitStack, stop: threading.Event) -> list[Dsn]:
    if args.server and (args.dsn or args.launch):
        raise UsageError("--server and --dsn or --launch name two servers", "Give one of them.")
    if args.server:
        from workers.servers import Startup, make_server

        server = make_server(args.server, startup=Startup(_STARTUP, stop.is_set))
        stack.callback(server.close)
        return [parse_dsn(server.start())]
    if args.launch:
        return [_launched(args, stack, stop)]
    given = args.dsn or os.environ.get(DSN_VARIABLE, "").split()
    if not given:
        raise UsageError("no server to run on", "Name one with --dsn mysql://user:password@host:port")
    return [parse_dsn(text) for text in given]


def _launched(args: argparse.Namespace, stack: ExitStack, stop: threading.Event) -> Dsn:
    """A server of the caller's command; its log goes where ours goes."""
    from workers.servers import Launch, Startup, make_server

    try:
        words = tuple(shlex.split(args.launch))
    except ValueError as error:
        raise UsageError(f"--launch {args.launch!r}: {error}", "Write it as in a shell; no shell reads it.") from error
    account = args.dsn[0] if args.dsn else None
    server = make_server("launch", dsn=account, launch=Launch(words), startup=Startup(_STARTUP, stop.is_set, _log))
    stack.callback(server.close)
    return parse_dsn(server.start())


def _listeners(args: argparse.Namespace) -> list[Listener]:
    makers: dict[str, Callable[[TextIO], Listener]] = {
        "text": Text,
        "json": JsonDocument,
        "jsonl": JsonLines,
        "junit": JUnit,
    }
    if args.format != "text" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # JSON and our XML are, wherever they go
    listeners: list[Listener] = [makers[args.format](sys.stdout)]
    try:
        return listeners + (_reports(args.report) if args.report else [])
    except OSError as error:
        raise UsageError(
            f"no report can be written into {args.report}: {error.strerror}", "Name a directory with --report."
        ) from error


def _reports(folder: Path) -> list[Listener]:
    return [
        MoTesterReport(folder),
        Page(folder / "index.html"),
        JUnit((folder / "junit.xml").open("w", encoding="utf-8"), owned=True),
    ]


def _on_signals(stop: threading.Event) -> Callable[[], None]:
    """Let TERM and INT cancel the run; gives back what undoes that."""

    def cancel(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, cancel) for number in (signal.SIGTERM, signal.SIGINT)}

    def undo() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return undo


def _log(line: str) -> None:
    print(tamed(line), file=sys.stderr, flush=True)  # noqa: T201 - stdout is for results


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m workers.bvt``: the same as ``mo-testplan cases run``, as a program of its own."""
    parser = argparse.ArgumentParser(prog="python -m workers.bvt", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except MoTestplanError as error:
        _log(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_CANCELLED
    except BrokenPipeError:
        return EXIT_INFRASTRUCTURE  # nobody reads the results
    except Exception:  # an error of ours must not look like a failed test
        _log(f"the case runner failed\n{traceback.format_exc()}")
        return EXIT_INFRASTRUCTURE
