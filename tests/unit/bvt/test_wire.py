"""A hostile or broken server: the connection ends with a word on why, and never hangs on what it was sent."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from orchestrator.domain.errors import ServerError
from workers.bvt.dsn import Dsn
from workers.bvt.session import Sessions
from workers.bvt.watch import Watch
from workers.bvt.wire import ConnectionLostError, EndlessResultError, Limits, Reply, ServerFaultError, Wire

GREETING = b"\x0a8.0-x\0" + struct.pack("<I", 7) + b"12345678\0" + b"\xff\xf7\x2d\x02\x00\xff\x81\x15" + b"\0" * 10
GREETING += b"123456789012\0mysql_native_password\0"
OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes((number % 256,)) + payload


def column(name: bytes) -> bytes:
    return (
        b"\x03def\0\0\0" + bytes((len(name),)) + name + b"\0\x0c" + struct.pack("<HIBHB", 33, 30, 253, 0, 0) + b"\0\0"
    )


@contextmanager
def server(*answers: bytes) -> Iterator[Dsn]:
    """Greets, lets anybody in, then gives one answer a statement and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(packet(0, GREETING))
            peer.recv(4096)
            peer.sendall(packet(2, OK))
            for answer in (packet(1, OK), *answers):
                peer.recv(65536)
                try:
                    peer.sendall(answer)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Dsn(port=listener.getsockname()[1], password="x")
    thread.join(5)
    listener.close()


def rows(count: int) -> bytes:
    parts = [packet(1, b"\x01"), packet(2, column(b"a")), packet(3, EOF)]
    parts += [packet(4 + number, b"\x01x") for number in range(count)]
    return b"".join([*parts, packet(4 + count, EOF)])


def test_rows_arrive_as_bytes_with_null_apart_from_the_text() -> None:
    payloads = [b"\x02", column(b"a"), column(b"b"), EOF, b"\xfb\x04null", b"\xfc\x00\x01" + b"y" * 256 + b"\x00", EOF]
    answer = b"".join(packet(number, payload) for number, payload in enumerate(payloads, 1))
    with server(answer) as dsn:
        wire = Wire(dsn)
        reply = wire.query("select")
        wire.close()
    assert [field.label for field in reply.fields or ()] == ["a", "b"]
    assert reply.rows == [[None, b"null"], [b"y" * 256, b""]]


def test_only_the_first_of_several_results_counts_and_a_later_error_counts_too() -> None:
    more = packet(1, b"\x00\x00\x00\x0a\x00\x00\x00")
    fault = packet(2, b"\xff\x28\x04#42000You have an error")
    with server(more + rows(1), more + fault) as dsn:
        wire = Wire(dsn)
        assert wire.query("insert; select").fields is None
        with pytest.raises(ServerFaultError) as caught:
            wire.query("insert; nonsense")
        wire.close()
    assert (caught.value.code, caught.value.sqlstate, caught.value.message) == (1064, "42000", "You have an error")


def test_a_result_set_beyond_its_limit_ends_the_connection() -> None:
    with server(rows(100)) as dsn:
        wire = Wire(dsn)
        with pytest.raises(EndlessResultError, match="more than 10 rows"):
            wire.query("select", limits=Limits(rows=10))
        assert wire.closed


def test_a_packet_without_end_ends_the_connection() -> None:
    piece = packet(4, b"x" * 0xFFFFFF)
    head = b"".join((packet(1, b"\x01"), packet(2, column(b"a")), packet(3, EOF)))
    with server(head + piece * 8) as dsn:
        wire = Wire(dsn)
        with pytest.raises(EndlessResultError, match="more than 32 MiB at once"):
            wire.query("select", limits=Limits(bytes=32 << 20))
        assert wire.closed
    with server(piece * 4) as dsn, pytest.raises(EndlessResultError, match="at once"):
        Wire(dsn).query("select")


def test_more_columns_than_any_server_has_are_no_result() -> None:
    many = b"".join(packet(number, column(b"a")) for number in range(200_000))
    with server(packet(1, b"\xfd\x40\x0d\x03") + many + packet(0, EOF) * 2) as dsn:
        wire = Wire(dsn)
        with pytest.raises(ConnectionLostError, match="200000 columns"):
            wire.query("select")


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x05\x00", packet(1, b"\x01")[:-1], packet(1, b"\x01") + packet(2, b"\x03d"), packet(1, b"")],
    ids=["nothing", "half a header", "half a packet", "a broken column", "an empty packet"],
)
def test_an_answer_that_breaks_off_is_a_lost_connection(answer: bytes) -> None:
    with server(answer) as dsn:
        wire = Wire(dsn)
        with pytest.raises(ConnectionLostError):
            wire.query("select")
        assert wire.closed


def test_a_cut_from_another_thread_wakes_the_one_that_waits() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    silent, ours = socket.socketpair()
    wire = object.__new__(Wire)
    wire._socket, wire._file = ours, ours.makefile("rb")
    wire._sequence, wire._patience, wire.closed = 0, None, False
    threading.Timer(0.1, wire.abort).start()
    with pytest.raises(ConnectionLostError):
        wire.query("select sleep(100)")
    for end in (listener, silent, wire._file):
        end.close()


def test_a_server_that_never_speaks_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ServerError, match="no connection"):
        Wire(Dsn(port=listener.getsockname()[1]), connect_timeout=0.2)


def test_what_is_no_sql_server_is_told_as_such() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with pytest.raises(ServerError):
        Wire(Dsn(port=listener.getsockname()[1]), connect_timeout=2)
    thread.join()
    listener.close()


def test_a_connection_whose_database_nobody_can_tell_is_given_up() -> None:
    class Silent:
        closed, database = False, ""

        def query(self, sql: str, timeout: float) -> Reply:
            return Reply((), [])

        def abort(self) -> None:
            self.closed = True

    wire = Silent()
    Sessions(Dsn()).follow(cast("Wire", wire), "", failed=False)
    assert wire.closed


def test_a_statement_ends_on_a_server_that_answers_nobody_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.bvt.watch._ANSWER", 0.2)
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            kept.append(peer)
            peer.sendall(packet(0, GREETING))
            peer.recv(4096)
            peer.sendall(packet(2, OK))
            peer.recv(4096)
            peer.sendall(packet(1, OK))

    threading.Thread(target=serve, daemon=True).start()
    dsn = Dsn(port=listener.getsockname()[1], password="x")
    wire = Wire(dsn)
    cut = threading.Timer(30.0, wire.abort)
    cut.start()
    try:
        with Watch(dsn, threading.Event()) as watch:
            watch.begin(wire, time.monotonic() + 0.1)
            with pytest.raises(ConnectionLostError):
                wire.query("select sleep(100)")
            assert cut.is_alive()
            watch.end()
            assert watch.fired
    finally:
        cut.cancel()
        listener.shutdown(socket.SHUT_RDWR)
        for end in (listener, *kept):
            end.close()
