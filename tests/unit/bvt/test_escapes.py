from __future__ import annotations

import time

import pytest

from workers.bvt.escapes import EscapeError, unescape


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("select {d '2024-03-15'}, {t '11:30:30'}", "select '2024-03-15', '11:30:30'"),
        ("select {fn abs(-3)}", "select abs(-3)"),
        ("select '{d ''x''}', \"{}\"", "select '{d ''x''}', \"{}\""),
        ("select {oj a}", "select {oj a}"),
        ("values ({ts now()})", "values ({ts now()})"),
        ("load data infile {'filepath'='a','format'='csv'} into table t", None),
        ("select 1 -- {d\n, {d '2024-01-02'}", "select 1 -- {d\n, '2024-01-02'"),
        ('select json_extract(\'{"a":{"b":1}}\', "$.a")', None),
        ("select '\\'{d', {d '2024-01-02'}", "select '\\'{d', '2024-01-02'"),
    ],
)
def test_escape_sequences_go_out_as_the_driver_rewrites_them(sql: str, sent: str | None) -> None:
    assert unescape(sql) == (sql if sent is None else sent)


def test_a_timestamp_literal_moves_to_the_zone_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert unescape("{ts '2024-03-15 11:30:00.50'}") == "'2024-03-15 19:30:00.5'"
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("sql", ["select {d '2024'} }", "select {ts 'x'} }", "select {t '1'} }", "select {a '} b"])
def test_a_sequence_that_jdbc_refuses_is_an_error_before_it_is_sent(sql: str) -> None:
    with pytest.raises(EscapeError):
        unescape(sql)
