"""The store on a real PostgreSQL: the same promises as on SQLite, with other processes on the line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrator.domain.errors import InfrastructureError
from orchestrator.store import Store
from tests.postgres import new_database, postgres_server
from tests.unit.store.contract import StoreContract, plan
from tests.unit.store.factories import make_message, make_summary


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def url(server: str) -> str:
    return new_database(server)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


class TestPostgresStore(StoreContract):
    pass


def test_programs_meeting_an_empty_database_lay_it_out_once(url: str) -> None:
    barrier = threading.Barrier(6)

    def open_it(n: int) -> None:
        barrier.wait()
        with Store(url) as store:
            plan(store, f"r-{n}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_it, range(6)))
    with Store(url) as store:
        assert len(store.runs(100)) == 6


def test_of_two_control_processes_one_commits(url: str) -> None:
    with Store(url) as one, Store(url) as other:
        barrier = threading.Barrier(2)

        def commit(store: Store) -> bool:
            barrier.wait()
            return store.commit_run(make_summary(), [make_message()])

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(commit, (one, other))) == [False, True]
        assert len(one.outbox()) == 1


def test_a_database_is_one_place_whatever_it_is_called_and_another_one_is_another(server: str, url: str) -> None:
    with Store(url) as one, Store(url.replace("127.0.0.1", "localhost")) as same, Store(new_database(server)) as other:
        assert one.place() == same.place() != other.place()


def test_who_may_not_ask_which_server_it_is_still_names_its_database(server: str, url: str) -> None:
    import psycopg

    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE plain{name} LOGIN".encode())
        connection.execute(f"GRANT ALL ON SCHEMA public TO plain{name}".encode())
        connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with Store(url.replace("tester@", f"plain{name}@")) as store:
        assert f"schema public of database {name} in" in store.place()


def test_a_lost_connection_is_made_again(store: Store, server: str) -> None:
    import psycopg

    plan(store)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='tester' AND pid<>pg_backend_pid()"
        )
    assert store.run("r-0001") is not None


def test_a_missing_database_says_what_to_do(server: str) -> None:
    with pytest.raises(InfrastructureError, match=r"does not exist\n.*Create the database"):
        Store(f"{server}/none")
