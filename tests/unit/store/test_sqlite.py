"""The store on SQLite: its promises, and what a file can suffer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.domain.errors import InfrastructureError, UsageError
from orchestrator.store import Store
from tests.require import require
from tests.unit.store.contract import StoreContract, plan
from tests.unit.store.factories import make_cases, make_message, make_summary


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/history.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


class TestSqliteStore(StoreContract):
    pass


def test_memory_is_a_store_for_all_threads() -> None:
    with Store("sqlite://") as store:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: plan(store, f"r-{n}"), range(20)))
        assert len(store.runs(100)) == 20


def test_the_file_has_a_write_ahead_log_and_its_directory_is_made(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/a/b/history.sqlite"):
        pass
    with sqlite3.connect(tmp_path / "a/b/history.sqlite") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_foreign_keys_are_enforced(store: Store) -> None:
    from sqlalchemy import text

    with pytest.raises(InfrastructureError, match="FOREIGN KEY"), store.writing() as session:
        session.execute(text("insert into case_results (run, source_id, task, attempt, name, status, seconds, message) "
                             "values ('none', '1', 't', 1, 'n', 'passed', 0, '')"))  # fmt: skip


def test_eight_programs_meeting_an_empty_file_lay_it_out_once(url: str) -> None:
    barrier = threading.Barrier(8)

    def open_it(n: int) -> None:
        barrier.wait()
        with Store(url, busy_timeout=90) as store:  # seven wait for one
            plan(store, f"r-{n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_it, range(8)))
    with Store(url) as store:
        assert len(store.runs(100)) == 8


def test_a_new_file_that_another_program_writes_to_is_waited_for(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for this one when it is to switch to a write-ahead log
    monkeypatch.setattr("orchestrator.store.database.time.sleep", lambda _: other.execute("ROLLBACK"))
    with Store(url) as store:
        assert store.runs() == []
    assert not other.in_transaction
    other.close()


def test_a_locked_file_says_so_and_loses_nothing(store: Store, url: str, tmp_path: Path) -> None:
    blocker = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Store(url, busy_timeout=0.1) as hasty:
        with pytest.raises(InfrastructureError, match=r"locked\n.*try again.*PostgreSQL"):
            hasty.commit_run(make_summary(), [make_message()])
        assert hasty.runs() == [], "a reader does not wait"
        blocker.execute("ROLLBACK")
        blocker.close()
        assert hasty.commit_run(make_summary(), [make_message()])
    assert len(store.outbox()) == 1


def test_a_full_disk_says_so_and_keeps_what_was_there(store: Store) -> None:
    plan(store)
    store.close()  # of the pool's connections the next one is the only one, so the limit below is its
    with store.reading() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count=40")
    with pytest.raises(InfrastructureError, match=r"full\n.*Free some space"):
        store.add_cases("r-0001", make_cases(20_000))
    assert store.cases("r-0001") == []
    assert store.plan_json("r-0001") == '{"id": "p"}'


def test_a_file_that_cannot_be_written_says_so(store: Store, tmp_path: Path) -> None:
    plan(store)
    with (
        pytest.raises(InfrastructureError, match=r"readonly.*\n.*right to write"),
        Store(f"sqlite:///file:{tmp_path}/history.sqlite?mode=ro&uri=true") as reader,
    ):
        plan(reader, "r-0002")


@pytest.mark.parametrize("name", ["", "/plain/below.sqlite"])
def test_a_path_that_is_no_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").write_text("a file, not a directory")
    with pytest.raises(InfrastructureError, match=r"unable to open.*\n.*MO_TESTPLAN_STORE_URL"):
        Store(f"sqlite:///{tmp_path}{name}")


def test_one_that_can_only_be_read_is_found_out_before_there_is_anything_to_write(store: Store, tmp_path: Path) -> None:
    store.check_writable()
    with (
        Store(f"sqlite:///file:{tmp_path}/history.sqlite?mode=ro&uri=true") as reader,
        pytest.raises(InfrastructureError, match=r"readonly.*\n.*right to write"),
    ):
        reader.check_writable()


def test_a_file_of_another_kind_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 2000)
    with pytest.raises(InfrastructureError, match=r"not a database\n.*another"):
        Store(f"sqlite:///{path}")
    assert path.read_text() == "hello " * 2000


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.sqlite") as raw:
        raw.execute("create table tasks (title text)")
    raw.close()
    with pytest.raises(InfrastructureError, match="another program"):
        Store(f"sqlite:///{tmp_path}/other.sqlite")


@pytest.mark.parametrize(
    "url", ["", "history.sqlite", "mysql://u:sesame@h/d", "sqlite:/x:sesame@", "postgresql://u:sesame@h:x/d"]
)
def test_an_address_that_is_none_is_a_usage_error_without_its_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Store(url)
    assert "sesame" not in str(caught.value)
    assert "MO_TESTPLAN_STORE_URL" in str(caught.value)


def test_a_server_that_is_down_is_named_without_its_password() -> None:
    require("psycopg")
    with pytest.raises(InfrastructureError, match=r"127\.0\.0\.1") as caught:
        Store("postgresql://u:sesame@127.0.0.1:1/d")
    assert "sesame" not in str(caught.value)
    assert "Start the database server" in str(caught.value)


def test_neither_the_types_nor_commands_that_ask_the_ledger_import_sqlalchemy() -> None:
    commands = ("run", "status", "watch", "cancel", "rerun", "logs", "hosts", "worker", "acl", "token", "flower")
    modules = ["orchestrator.store", "orchestrator.store.api", *(f"orchestrator.cli.{name}" for name in commands)]
    code = f"import sys, {', '.join(modules)}; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
