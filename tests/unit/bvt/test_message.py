from __future__ import annotations

import pytest

from workers.bvt.message import message_of
from workers.bvt.wire import ServerFaultError


@pytest.mark.parametrize(
    ("code", "sqlstate", "announced"),
    [
        (1264, "22003", True),
        (1064, "42000", False),
        (1365, "HY000", True),  # MatrixOne says HY000 of every error: then the code tells
        (1690, "", True),
        (1064, "HY000", False),
        (1690, "42000", False),
    ],
)
def test_errors_of_data_are_announced_as_the_driver_does(code: int, sqlstate: str, announced: bool) -> None:
    message = message_of(ServerFaultError("out of range", code, sqlstate))
    assert message.message == ("Data truncation: out of range" if announced else "out of range")
    assert (message.code, message.sqlstate) == (code, sqlstate)
