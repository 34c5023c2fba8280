"""What the plug-in of pytest tells, as the worker hears it: whole among the noise of others, bounded, never lost."""

from __future__ import annotations

import contextlib
import json
import os
import select
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.domain.run import CaseStatus
from tests.unit.workers.support import Record
from workers.process import Stream
from workers.suites import pyteststream, pytesttell
from workers.suites.pyteststream import PytestStream


def stream(record: Record, folder: Path) -> PytestStream:
    return PytestStream(record.cases.append, record.lines.append, folder, lambda: 0.0)


def event(what: str, node: str, **more: object) -> str:
    return f"{pytesttell.MARK}." + json.dumps({"event": what, "node": node, **more})


def test_a_long_event_is_told_in_writes_that_nobody_can_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(pytesttell, "_write", written.append)
    text = "é" * 8000
    pytesttell._tell("start", "a")
    pytesttell._tell("report", "a", outcome="failed", when="call", reason="why", text=text)
    pytesttell._tell("end", "a")
    assert max(map(len, written)) <= select.PIPE_BUF
    record = Record()
    heard = stream(record, tmp_path)
    for data in written:
        for line in [*data.decode().split("\n")[:-1], "what another process says"]:
            heard.line(Stream.STDERR, line)
    assert record.named("a").message == f"why\n{text}"
    assert set(record.lines) == {"what another process says"}


def test_a_pipe_that_a_test_made_impatient_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, b"x" * 4096)
    monkeypatch.setattr(pytesttell, "_ERROR_OUTPUT", theirs)
    with ThreadPoolExecutor() as pool:
        told = pool.submit(pytesttell._write, b"event")
        heard = os.read(ours, 1 << 16)
        told.result()
    os.close(theirs)
    with os.fdopen(ours, "rb") as rest:
        assert (heard + rest.read()).endswith(b"xevent")


def test_being_set_up_is_no_verdict(tmp_path: Path) -> None:
    record = Record()
    heard = stream(record, tmp_path)
    for line in (event("start", "a"), event("report", "a", outcome="passed", when="setup"), event("end", "a")):
        heard.line(Stream.STDERR, line)
    assert [case.status for case in record.cases] == [CaseStatus.FAILED]


def test_a_failure_that_comes_late_is_one(tmp_path: Path) -> None:
    record = Record()
    heard = stream(record, tmp_path)
    passed, failed = (event("report", "a", outcome=outcome, when="call") for outcome in ("passed", "failed"))
    for line in (event("start", "a"), passed, event("end", "a"), failed, passed):
        heard.line(Stream.STDERR, line)
    assert [case.status for case in record.cases] == [CaseStatus.PASSED, CaseStatus.FAILED]


def test_what_is_kept_of_endless_events_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyteststream, "_OPEN", 3)
    monkeypatch.setattr(pyteststream, "_EVENT", 100)
    record = Record()
    heard = stream(record, tmp_path)
    for number in range(10):
        heard.line(Stream.STDERR, event("start", str(number)))
        heard.line(Stream.STDERR, f"{pytesttell.MARK}+{'x' * 60}")
    assert (len(heard._open), len(heard._held)) == (1, 60)  # a half takes the next one with it
    for _ in range(2):
        heard.line(Stream.STDERR, f"{pytesttell.MARK}+{'x' * 60}")
    assert len(heard._held) == 100
    heard.line(Stream.STDERR, f"{pytesttell.MARK}.")
    for number in range(10):
        heard.line(Stream.STDERR, event("start", str(number)))
    assert (len(heard._open), len(heard._held)) == (3, 0)
