from __future__ import annotations

import pytest

from orchestrator.domain.errors import UsageError
from workers.bvt.dsn import Dsn, parse_dsn


@pytest.mark.parametrize(
    "dsn",
    [
        Dsn(),
        Dsn("db.example", 3306, "a:b c", "p@ss/w%rd"),
        Dsn("::1", 6001, "dump", "111"),
        Dsn(socket="/tmp/my sock"),  # noqa: S108 - a name, no file
    ],
)
def test_an_address_survives_writing_and_reading(dsn: Dsn) -> None:
    assert parse_dsn(str(dsn)) == dsn


def test_the_port_is_matrixones_by_default() -> None:
    assert parse_dsn("mysql://u:p@h").port == 6001


@pytest.mark.parametrize("text", ["", "localhost:6001", "http://h", "mysql://h:port", "mysql://"])
def test_what_is_no_address_is_a_usage_error_that_keeps_the_password(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dsn(text.replace("h:", "u:secret@h:"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("password", ["secret#1", "secret/1", "secret?1", "[secret", "1]secret["])
def test_a_password_that_is_not_quoted_is_not_taken_for_a_port_and_told(password: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dsn(f"mysql://dump:{password}@127.0.0.1:6001")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_account_of_a_script_leaves_the_default_as_it_was() -> None:
    dsn = Dsn(user="dump", password="111")
    assert dsn.account("acc:admin", None) == Dsn(user="acc:admin", password="111")
    assert dsn.account(None, None) == dsn
