"""Addresses: the wrong ones are said without their password."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.connection import connect, masked


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@host/0",
        "redis://u:secret@host:port/0",
        "redis://u:secret@[::1",
        "redis://u:sec/ret@host:port/0",
        "redis://:secret",
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
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert masked(url) == shown
