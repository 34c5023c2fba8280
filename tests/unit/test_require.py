"""What a machine lacks skips a test, and fails it where it was promised."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from _pytest import outcomes

from tests.require import PROBES, ROOT, require

#: What CI has or not, depending on who runs it where; and what is no part of this repository.
DEPENDS = {"root", "uids", "shared"}


def test_what_is_missing_skips_and_fails_where_it_was_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROBES, "moon", lambda: False)
    monkeypatch.setitem(PROBES, "sun", lambda: True)
    monkeypatch.setenv("MO_TESTPLAN_REQUIRE", "sun")
    with pytest.raises(outcomes.Skipped, match="moon"):
        require("sun", "moon")
    monkeypatch.setenv("MO_TESTPLAN_REQUIRE", "sun,moon")
    with pytest.raises(outcomes.Failed, match="promises moon"):
        require("sun", "moon")


def test_a_promise_that_nobody_can_ask_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MO_TESTPLAN_REQUIRE", "go,mariadbd")
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", str(ROOT / "tests" / "unit" / "test_require.py")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "names mariadbd; there is mariadb, redis" in done.stderr


def test_postgres_is_there_only_where_its_user_reaches_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests of a run have theirs where only the worker enters, and root's server runs as somebody else."""
    require("root", "postgres")
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert not PROBES["postgres"]()


def test_uids_are_there_only_where_they_reach_the_copy_that_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests of a run have theirs where only the worker enters; the installation of the host is another."""
    require("uids")
    monkeypatch.setattr("tests.require.ROOT", tmp_path)
    assert not PROBES["uids"]()


def test_ci_promises_whatever_a_test_may_ask_for() -> None:
    promises = re.findall(r"^promised=([\w,-]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert [set(names.split(",")) for names in promises] == [PROBES.keys() - DEPENDS]
