from __future__ import annotations

from orchestrator.history.casebook import Casebook
from orchestrator.history.commits import Entry
from orchestrator.history.layout import layout_of
from tests.unit.history.product import PROFILE

NONE = "0" * 40


def script(text: str) -> str:
    """The blob of a script, which here is its text."""
    return text.encode().hex().rjust(40, "1")


def added(path: str, text: str) -> Entry:
    return Entry("A", NONE, script(text), f"test/cases/{path}")


def gone(path: str, text: str) -> Entry:
    return Entry("D", script(text), NONE, f"test/cases/{path}")


def number_of(book: Casebook, stem: str) -> int:
    return next(number for number, name in book.stems.items() if name == stem)


def after(*commits: tuple[Entry, ...]) -> Casebook:
    book = Casebook()
    for time, entries in enumerate(commits):
        book.apply(entries, layout_of(PROFILE), time, bytes.fromhex)
    return book


def test_a_case_that_moves_and_comes_back_keeps_its_number_each_time() -> None:
    first = (added("cat/x.sql", "a;"), added("cat/y.sql", "b;"))
    there = (gone("cat/x.sql", "a;"), added("dog/x.sql", "a;"))
    back = (gone("dog/x.sql", "a;"), added("cat/x.sql", "a;"))
    number = number_of(after(first), "cat/x")
    assert number_of(after(first, there), "dog/x") == number
    book = after(first, there, back)
    assert set(book.stems.values()) == {"cat/x", "cat/y"}
    assert number_of(book, "cat/x") == book.numbers["cat/x"] == number
    assert len(set(book.numbers.values())) == len(book.numbers)
    again = after(first, there, back, there)
    assert number_of(again, "dog/x") == number
    assert set(again.stems.values()) == {"dog/x", "cat/y"}


def test_a_case_whose_script_gets_another_extension_stays_and_no_other_takes_its_number() -> None:
    first = (added("cat/x.sql", "a;"),)
    book = after(first, (gone("cat/x.sql", "a;"), added("cat/x.test", "c;"), added("dog/x.sql", "a;")))
    assert number_of(book, "cat/x") == number_of(after(first), "cat/x")
    assert set(book.stems.values()) == {"cat/x", "dog/x"}
