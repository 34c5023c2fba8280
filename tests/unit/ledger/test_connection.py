"""Addresses: the wrong ones are said without their password."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest
import redis

from orchestrator.domain.errors import BrokerDownError, BrokerError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.connection import broker_errors, connect, masked
from orchestrator.ledger.embedded import EmbeddedRedis
from tests.require import require


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@host/0",
        "redis://u:secret@host:port/0",
        "redis://u:secret@[::1",
        "redis://u:sec/ret@host:port/0",
        "redis://:secret",
        "unix:///run/redis.sock",
        "secret",
        "",
    ],
)
def test_what_is_no_address_is_an_error_with_a_remedy(url: str) -> None:
    with pytest.raises(BrokerError, match="is not a Redis address") as error:
        connect(url)
    assert "redis://host:port/0" in error.value.remedy
    assert "sec" not in str(error.value) or "@" not in url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/0", "redis://host:1/0"),
        ("redis://:secret@host:1/0", "redis://:***@host:1/0"),
        ("rediss://u:secret@host/0", "rediss://u:***@host/0"),
        ("redis://u:sec/ret@host/0", "***@host/0"),
        ("redis://u:sec#ret@host/0", "***@host/0"),
        ("redis://u:secret@host:port/0", "***@host:port/0"),
        ("redis+socket:///run/redis.sock?virtual_host=0", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?db=0&password=secret", "unix:///run/redis.sock?db=0&password=***"),
        ("redis://host/0?password=sec@ret&db=1", "redis://host/0?password=***&db=1"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://host/0?socket_timeout=long",
        "redis://host/0?nonsense=1",
        "redis://host/0?ssl_cert_reqs=none",
        "rediss://host/0?ssl_cert_reqs=CERT_NONSENSE",
        "redis+socket:///run/redis.sock?virtual_host=first",
    ],
)
def test_words_of_an_address_that_no_connection_knows_are_an_error_with_a_remedy(url: str) -> None:
    with pytest.raises(BrokerError, match="is not a Redis address") as error:
        connect(url)
    assert "MO_TESTPLAN_REDIS_URL" in error.value.remedy


@pytest.mark.parametrize(
    "url", ["redis://host:1/shop", "redis://host/0/1", "redis://host/0?db=1", "redis+socket:///run/redis.sock?db=1"]
)
def test_a_database_that_celery_and_the_ledger_would_not_understand_alike_is_refused(url: str) -> None:
    with pytest.raises(BrokerError, match="names its database") as error:
        connect(url)
    assert "redis://host:port/1" in error.value.remedy


@pytest.mark.parametrize("word", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
def test_a_certificate_that_is_not_there_is_named(word: str, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=f"{word}={tmp_path}/none.pem of MO_TESTPLAN_REDIS_URL is no file"):
        connect(f"rediss://host/0?{word}={tmp_path}/none.pem")


def test_a_wrong_password_is_no_redis_that_is_down(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        Ledger(server.url).redis.config_set("requirepass", "right")
        with pytest.raises(BrokerError, match="refuses this user") as error:
            Ledger(f"{server.url}&password=wrong", retries=0).ping()
    assert not isinstance(error.value, BrokerDownError)
    assert "password" in error.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "redis+socket://li:p%40ss@/run/redis.sock?virtual_host=3",
        "redis+socket:///run/redis.sock?virtual_host=3&username=li&password=p%40ss",
    ],
)
def test_the_account_of_a_socket_is_used(url: str) -> None:
    words = connect(url).connection_pool.connection_kwargs
    assert [words[name] for name in ("path", "db", "username", "password")] == ["/run/redis.sock", 3, "li", "p@ss"]


def test_a_socket_whose_path_no_system_takes_is_an_error_with_a_remedy() -> None:
    form = "redis+socket://{}?virtual_host=0"
    connect(form.format("/" + "s" * 106))
    connect(form.format("/" + "%73" * 106))
    with pytest.raises(BrokerError, match="longer than 107 bytes: /sss") as error:
        connect(form.format("/" + "s" * 107))
    assert "shorter name" in error.value.remedy


def test_a_redis_that_is_down_is_told_apart_from_one_that_cannot_be_reached() -> None:
    with socket.socket() as bound, tempfile.TemporaryDirectory(dir="/tmp") as short:
        bound.bind(("127.0.0.1", 0))
        for url in (f"redis://127.0.0.1:{bound.getsockname()[1]}/0", f"redis+socket://{short}/none?virtual_host=0"):
            with pytest.raises(BrokerDownError):
                Ledger(url, retries=0).ping()
        bound.listen()
        with pytest.raises(BrokerError) as raised:
            Ledger(f"redis://127.0.0.1:{bound.getsockname()[1]}/0", retries=0, timeout=0.2).ping()
        assert not isinstance(raised.value, BrokerDownError)


def test_a_redis_that_is_full_is_down_for_all(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server:
        ledger = Ledger(server.url, retries=0)
        ledger.redis.config_set("maxmemory", "1")
        with pytest.raises(BrokerDownError, match="Redis refuses"):
            ledger.lead("me", 3)


def test_a_redis_whose_disk_is_full_is_down_for_all() -> None:
    def refuses() -> None:
        raise redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    with pytest.raises(BrokerDownError, match="No space left"):
        broker_errors(refuses)()


def test_a_database_that_redis_does_not_have_is_said(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "redis") as server, pytest.raises(BrokerError) as raised:
        Ledger(server.url.replace("virtual_host=0", "virtual_host=99"), retries=0).ping()
    assert "number" in raised.value.remedy


@pytest.mark.parametrize(
    ("code", "down"), [(socket.EAI_NONAME, True), (socket.EAI_NODATA, True), (socket.EAI_AGAIN, False)]
)
def test_a_host_name_that_is_gone_is_a_redis_that_is_down_and_a_name_server_that_is_away_is_not(
    monkeypatch: pytest.MonkeyPatch, code: int, down: bool
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "no address")

    monkeypatch.setattr(socket, "getaddrinfo", refuses)
    with pytest.raises(BrokerError) as raised:
        Ledger("redis://redis:6379/0", retries=0).ping()
    assert isinstance(raised.value, BrokerDownError) is down


def test_a_redis_of_ones_own_starts_below_a_folder_of_any_length(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / ("long" * 30)) as server:
        assert Ledger(server.url).active() == []
    assert not server.socket.parent.exists()


def test_a_redis_of_ones_own_starts_below_a_folder_with_blanks_and_quotes(tmp_path: Path) -> None:
    require("valkey")
    with EmbeddedRedis(tmp_path / "my 'own' \"folder\"") as server:
        assert Ledger(server.url).active() == []
        assert (server.folder / "redis.log").exists()


class Refusing(EmbeddedRedis):
    """A server that ends at once, since it does not take a setting."""

    @property
    def options(self) -> dict[str, str]:
        return {**super().options, "maxmemory-policy": "sometimes"}


def test_an_embedded_server_that_ends_at_once_is_not_waited_for_and_its_last_words_are_told(tmp_path: Path) -> None:
    require("valkey")
    with pytest.raises(BrokerError, match=r"ended as it started: [^\0]*maxmemory-policy") as error, Refusing(tmp_path):
        pass
    assert str(tmp_path / "redis.log") in error.value.remedy


def test_what_is_no_utf8_is_read_and_what_cannot_be_is_written(valkey_url: str) -> None:
    client = connect(valkey_url)
    client.set("odd", b"caf\xe9")
    assert client.get("odd") == "caf\ufffd"
    client.set("odd", "half of a pair: \ud83d")
    assert client.getdel("odd") == "half of a pair: ?"
