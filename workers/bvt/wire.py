"""One connection to a server that speaks the MySQL protocol: statements go out as text, values come back as bytes.

PyMySQL connects and authenticates. Commands are read here, because judging needs what a driver hides: the raw bytes,
the column's flags, collation and length, the SQLSTATE of an error, and an end to result sets that have none.
Protocol: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, NamedTuple

import pymysql
from pymysql.constants import CLIENT

from orchestrator.domain.errors import ServerError
from workers.bvt.dsn import Dsn

#: A packet's largest payload; a longer one goes on in the next packet.
MAX_PAYLOAD = 0xFFFFFF
MORE_RESULTS = 0x0008
_COM_QUIT, _COM_QUERY, _COM_PING = b"\x01", b"\x03", b"\x0e"
_FIELD_TAIL = struct.Struct("<HIBHB")

#: Columns of a result: no server has so many (MySQL: 4,096).
_MOST_COLUMNS = 65_535
#: Bytes of a column's description that is remembered: a label may be a whole statement.
_REMEMBERED = 4096
#: Bytes it costs to hold a value, beside the value.
_CELL = 50

Row = list[bytes | None]


class ServerFaultError(Exception):
    """The server answered with an error: its words, its code and its SQLSTATE."""

    def __init__(self, message: str, code: int, sqlstate: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.sqlstate = sqlstate


class ConnectionLostError(Exception):
    """The connection ended in mid-statement: the server went away, or we cut it."""


class EndlessResultError(ConnectionLostError):
    """A result set grew past what memory is for; the connection is of no further use."""


class Field(NamedTuple):
    """A column as the protocol describes it."""

    label: str
    table: str
    original_table: str
    collation: int
    length: int
    type: int
    flags: int
    decimals: int


class Reply(NamedTuple):
    """The first result of a statement; ``fields`` None: it gives no result set."""

    fields: tuple[Field, ...] | None
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one result set may have."""

    rows: int = 1_000_000
    #: Of memory, roughly: raw values, and what holding them costs.
    bytes: int = 256 << 20


NO_RESULT = Reply(None, [])


def _nothing() -> None:
    """There is nothing else to do."""


class Wire:
    """An open connection. Not for use by two threads, save :meth:`abort`."""

    def __init__(self, dsn: Dsn, *, database: str | None = None, connect_timeout: float = 10.0) -> None:
        """Connect. Raises ServerFaultError (the account is refused) and ServerError (the server cannot be reached)."""
        self.dsn = dsn
        self._connection = _connect(dsn, database, connect_timeout)
        self._socket: socket.socket = self._connection._sock  # type: ignore[attr-defined]
        self._file: BinaryIO = self._connection._rfile  # type: ignore[attr-defined]
        self._socket.settimeout(None)
        self._sequence = 0
        self.thread_id = int(self._connection.thread_id())  # type: ignore[no-untyped-call]
        self.closed = False
        self._patience: float | None = None
        #: The current database, as far as we made or saw it current.
        self.database = ""
        #: Statements beyond this many bytes are refused before they are sent, as Connector/J does.
        self.max_packet = 0

    def query(
        self,
        sql: str,
        *,
        limits: Limits | None = None,
        local_file: Callable[[str], BinaryIO] | None = None,
        timeout: float | None = None,
        meanwhile: Callable[[], None] = _nothing,
    ) -> Reply:
        """Send ``sql`` in one go, read every result and keep the first.

        ``local_file`` opens what LOAD DATA LOCAL INFILE asks for; raises OSError to refuse. ``timeout`` bounds each
        wait for the server, in seconds. ``meanwhile`` is called while the server works.

        Raises ServerFaultError (for a later result too), and ConnectionLostError, also as EndlessResultError.
        """
        if timeout is not None or self._patience is not None:
            self._be_patient(timeout)
        try:
            self._sequence = 0
            self._send(_COM_QUERY + sql.encode("utf-8", "replace"))
        except OSError as error:
            self.abort()
            raise ConnectionLostError(str(error)) from error
        try:
            meanwhile()
        except BaseException:
            self.abort()  # its answer would be taken for that of the next statement
            raise
        try:
            return self._read_results(limits or Limits(), local_file)
        except (OSError, ValueError, struct.error, IndexError) as error:
            self.abort()
            raise ConnectionLostError(str(error) or type(error).__name__) from error
        except ConnectionLostError:
            self.abort()
            raise

    def _be_patient(self, timeout: float | None) -> None:
        try:
            self._socket.settimeout(timeout)
        except OSError as error:
            self.abort()
            raise ConnectionLostError(str(error)) from error
        self._patience = timeout

    def ping(self, timeout: float) -> bool:
        """Whether the server still answers on this connection."""
        if self.closed:
            return False
        try:
            self._socket.settimeout(timeout)
            self._sequence = 0
            self._send(_COM_PING)
            self._read_packet()
            self._socket.settimeout(None)
        except (OSError, ConnectionLostError, ServerFaultError):
            self.abort()
            return False
        return True

    def close(self) -> None:
        """Say goodbye and close; safe to call twice."""
        if not self.closed:
            self._sequence = 0
            with contextlib.suppress(OSError):
                self._socket.settimeout(1.0)
                self._send(_COM_QUIT)
        self.abort()

    def abort(self) -> None:
        """Cut the connection; whoever waits on it wakes with ConnectionLostError. Any thread may call this."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _send(self, payload: bytes) -> None:
        start = 0
        while True:
            piece = payload[start : start + MAX_PAYLOAD]
            header = struct.pack("<I", len(piece))[:3] + bytes((self._sequence,))
            self._socket.sendall(header + piece)
            self._sequence = (self._sequence + 1) % 256
            start += MAX_PAYLOAD
            if len(piece) < MAX_PAYLOAD:
                return

    def _read_packet(self, most: int = MAX_PAYLOAD) -> bytes:
        """A packet of up to ``most`` bytes, give or take a piece."""
        payload = self._read_piece()
        if len(payload) == MAX_PAYLOAD:
            pieces = [payload]
            while len(pieces[-1]) == MAX_PAYLOAD:
                if len(pieces) * MAX_PAYLOAD > most:
                    raise EndlessResultError(
                        f"the server sends more than {most >> 20} MiB at once; reading stopped there"
                    )
                pieces.append(self._read_piece())
            payload = b"".join(pieces)
        if payload[:1] == b"\xff":
            raise _fault(payload)
        return payload

    def _read_piece(self) -> bytes:
        header = self._file.read(4)
        if len(header) < 4:
            raise ConnectionLostError("the server closed the connection")
        length = header[0] | header[1] << 8 | header[2] << 16
        self._sequence = (header[3] + 1) % 256
        payload = self._file.read(length)
        if len(payload) < length:
            raise ConnectionLostError("the server closed the connection in mid-packet")
        return payload

    def _read_results(self, limits: Limits, local_file: Callable[[str], BinaryIO] | None) -> Reply:
        first: Reply | None = None
        more = True
        while more:
            reply, more = self._read_result(limits, local_file)
            first = first or reply
        return first or NO_RESULT

    def _read_result(self, limits: Limits, local_file: Callable[[str], BinaryIO] | None) -> tuple[Reply, bool]:
        packet = self._read_packet()
        if packet[0] == 0xFB:
            packet = self._send_file(packet[1:].decode("utf-8", "replace"), local_file)
        if packet[0] == 0x00:
            return NO_RESULT, bool(_ok_status(packet) & MORE_RESULTS)
        count, _ = _length(packet, 0)
        if count > _MOST_COLUMNS:
            raise ValueError(f"a result set of {count} columns")
        fields = tuple(_column(self._read_packet()) for _ in range(count))
        self._read_packet()  # the end of the columns
        rows, status = self._read_rows(count, limits)
        return Reply(fields, rows), bool(status & MORE_RESULTS)

    def _read_rows(self, count: int, limits: Limits) -> tuple[list[Row], int]:
        rows: list[Row] = []
        size, read, most = 0, self._read_packet, limits.bytes
        while True:
            packet = read(most)
            if packet[0] == 0xFE and len(packet) < 9:
                return rows, packet[3] | packet[4] << 8
            size += len(packet) + _CELL * count
            if len(rows) >= limits.rows or size > most:
                raise EndlessResultError(
                    f"the result set has more than {len(rows)} rows or {most >> 20} MiB; reading stopped there"
                )
            rows.append(_row(packet, count))

    def _send_file(self, name: str, opener: Callable[[str], BinaryIO] | None) -> bytes:
        """Send the file LOAD DATA LOCAL asks for. A refusal is told as an error once the server has answered."""
        refusal: OSError | None = None
        try:
            if opener is None:
                raise PermissionError("LOAD DATA LOCAL is not allowed here")
            with opener(name) as file:
                while block := file.read(65536):
                    self._send(block)
        except OSError as error:
            refusal = error
        self._send(b"")
        packet = self._read_packet()
        if refusal is not None:
            raise ServerFaultError(
                f"Unable to open file '{name}' for 'LOAD DATA LOCAL INFILE' command. {refusal}", 0, "S1000"
            )
        return packet


def _connect(dsn: Dsn, database: str | None, timeout: float) -> pymysql.connections.Connection[pymysql.cursors.Cursor]:
    try:
        return pymysql.connect(
            host=dsn.host,
            port=dsn.port,
            unix_socket=dsn.socket,
            user=dsn.user,
            password=dsn.password,
            database=database,
            charset="utf8mb4",
            autocommit=None,
            local_infile=True,
            client_flag=CLIENT.FOUND_ROWS,
            connect_timeout=timeout,
            read_timeout=timeout,
            write_timeout=timeout,
            ssl_disabled=True,
        )
    except pymysql.err.Error as error:
        code, message = error.args if len(error.args) == 2 else (0, str(error))
        if isinstance(code, int) and 1000 <= code < 2000:
            raise ServerFaultError(str(message), code, "") from error
        raise ServerError(
            f"no connection to {dsn.place}: {message}", "Is the server up, and is the address right?"
        ) from error
    except (OSError, RuntimeError, ValueError, struct.error, IndexError, AssertionError) as error:
        raise ServerError(f"{dsn.place} does not speak the MySQL protocol: {error}", "Check the address.") from error


def _fault(packet: bytes) -> ServerFaultError:
    code = packet[1] | packet[2] << 8
    text = packet[3:].decode("utf-8", "replace")
    if text.startswith("#") and len(text) > 6:
        return ServerFaultError(text[6:], code, text[1:6])
    return ServerFaultError(text, code, "")


def _ok_status(packet: bytes) -> int:
    _, position = _length(packet, 1)
    _, position = _length(packet, position)
    return packet[position] | packet[position + 1] << 8


def _length(packet: bytes, position: int) -> tuple[int, int]:
    """A length-encoded integer and where it ends; -1 for NULL."""
    first = packet[position]
    if first < 0xFB:
        return first, position + 1
    if first == 0xFB:
        return -1, position + 1
    width = {0xFC: 2, 0xFD: 3}.get(first, 8)
    end = position + 1 + width
    return int.from_bytes(packet[position + 1 : end], "little"), end


def _row(packet: bytes, count: int) -> Row:
    row: Row = []
    position = 0
    for _ in range(count):
        length = packet[position]
        position += 1
        if length >= 0xFB:
            length, position = _length(packet, position - 1)
            if length < 0:
                row.append(None)
                continue
        end = position + length
        row.append(packet[position:end])
        position = end
    return row


def _column(packet: bytes) -> Field:
    """The column a packet describes; those of the usual size are remembered."""
    return _field(packet) if len(packet) <= _REMEMBERED else _field.__wrapped__(packet)


@lru_cache(maxsize=4096)
def _field(packet: bytes) -> Field:
    position = 0
    texts: list[bytes] = []
    for _ in range(6):  # catalog, schema, table, original table, name, original name
        length, position = _length(packet, position)
        texts.append(packet[position : position + length])
        position += length
    collation, length, kind, flags, decimals = _FIELD_TAIL.unpack_from(packet, position + 1)
    decoded = [text.decode("utf-8", "replace") for text in texts]
    return Field(decoded[4], decoded[2], decoded[3], collation, length, kind, flags, decimals)
