"""A run over one server or several: scripts are spread by expected duration, order groups stay together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import PurePath

from workers.bvt.results import CommandResult, Listener, ScriptResult
from workers.bvt.runner import Case, Runner

#: What executes a case on one server.
Execute = Callable[[Runner, Case], ScriptResult]


class Listeners:
    """Many listeners as one; calls of several threads are put in a row."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)
        self._lock = threading.Lock()

    def command(self, result: CommandResult) -> None:
        """Pass on."""
        with self._lock:
            for listener in self._listeners:
                listener.command(result)

    def script(self, result: ScriptResult) -> None:
        """Pass on."""
        with self._lock:
            for listener in self._listeners:
                listener.script(result)

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Pass on, to each of them whatever becomes of the others."""
        with self._lock, ExitStack() as stack:
            for listener in reversed(self._listeners):
                stack.callback(listener.close, scripts)


def units_of(cases: Sequence[Case], groups: Sequence[Sequence[str]], servers: int) -> list[list[Case]]:
    """What goes to a server as one piece, in the order it is given out.

    On one server everything keeps its order. On several, each script is a piece, longest first by the size of its file;
    the scripts of an order group (directories below the root, in this order) are one piece.
    """
    if servers < 2:
        return [list(cases)]
    grouped: dict[int, list[Case]] = {}
    units: list[list[Case]] = []
    for case in cases:
        number = next((n for n, group in enumerate(groups) if _rank(case, group) < len(group)), None)
        if number is None:
            units.append([case])
        else:
            grouped.setdefault(number, []).append(case)
    for number, members in grouped.items():
        units.append(sorted(members, key=lambda case, group=groups[number]: _rank(case, group)))  # type: ignore[misc]
    return sorted(units, key=lambda unit: -sum(map(_size, unit)))


def _size(case: Case) -> int:
    try:
        return case.file.stat().st_size
    except OSError:
        return 0  # it cannot be read either, which the runner tells


def _rank(case: Case, group: Sequence[str]) -> int:
    """The place in ``group`` of the directory that holds ``case``; past the end when there is none."""
    below = PurePath(*PurePath(case.path).parts[1:])
    return next((n for n, name in enumerate(group) if below.is_relative_to(name)), len(group))


class Fleet:
    """Runs units on runners, one thread each."""

    def __init__(self, runners: Sequence[Runner], stop: threading.Event, execute: Execute) -> None:
        self._runners = runners
        self._stop = stop
        self._execute = execute
        self._queue: deque[list[Case]] = deque()
        self._results: dict[str, ScriptResult] = {}
        self._error: BaseException | None = None

    def run(self, units: Sequence[Sequence[Case]]) -> dict[str, ScriptResult]:
        """Results by path. Raises what the first runner to fail raised; results so far are in :attr:`results`."""
        self._queue.extend(list(unit) for unit in units)
        threads = [
            threading.Thread(target=self._serve, args=(runner,), name=f"server-{number}")
            for number, runner in enumerate(self._runners)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(1.0)  # signals are handled in between
        if self._error is not None:
            raise self._error
        return self._results

    @property
    def results(self) -> dict[str, ScriptResult]:
        """What has ended, by path."""
        return self._results

    def _serve(self, runner: Runner) -> None:
        try:
            with runner:
                while (unit := self._next()) is not None:
                    for case in unit:
                        self._results[case.path] = self._execute(runner, case)
        except BaseException as error:
            if self._error is None:
                self._error = error
            self._stop.set()

    def _next(self) -> list[Case] | None:
        """The next piece of work; None when there is none left."""
        try:
            return self._queue.popleft()
        except IndexError:
            return None
