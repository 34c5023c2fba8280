"""An error of the server as Connector/J 8.0.15 words it to mo-tester (``NativeProtocol.checkErrorMessage``)."""

from __future__ import annotations

from workers.bvt.compare import ServerMessage
from workers.bvt.wire import ServerFaultError

#: SQLSTATE class of data errors, which Connector/J announces.
_DATA_ERROR = "22"
#: The codes of that class (``MysqlErrorNumbers``), for servers that say HY000 of every error, as MatrixOne does.
_DATA_CODES = frozenset({1138, 1263, 1264, 1292, 1365, 1367, 1406, 1416, 1441, 1690, 1903})


def message_of(error: ServerFaultError) -> ServerMessage:
    """``error`` with ``Data truncation:`` in front where it is an error of data; code and SQLSTATE as they came."""
    unsaid = error.sqlstate in ("", "HY000")
    truncated = error.code in _DATA_CODES if unsaid else error.sqlstate.startswith(_DATA_ERROR)
    prefix = "Data truncation: " if truncated else ""
    return ServerMessage(prefix + error.message, error.code, error.sqlstate)
