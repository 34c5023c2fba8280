import pytest

from orchestrator.generate.executor import Answer
from orchestrator.generate.library import Library, read_script, worded
from orchestrator.generate.terms import Terms

LIBRARY = Library(
    {
        "a.sql": read_script(
            "drop role rx;\nselect 1;\n", "drop role rx;\ninternal error: there is no role rx\nselect 1;\n1\n1\n"
        )
    }
)
TERMS = Terms("matrixone", 60, LIBRARY.refusals)


def gate(error: str | None, *, product: bool = True, lost: bool = False) -> str | None:
    answer = Answer(error=error, lost=lost)
    return TERMS.gate(answer, answer, is_product=product)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, None),
        ("invalid argument function isnull, bad value [INT INT]", ""),
        ("internal error: there is no role other_role", ""),
        ("internal error: cosine similarity zero denominator", "finding"),
        ("internal error: panic runtime error: index out of range", "finding"),
        ("internal error: the system variable does not exist", "valid"),
        ("internal error: database nowhere not found: ExpectedEOB", "valid"),
        ("internal error: table d.a not found: no such table d.a", "valid"),
        ("not supported: function or operator 'addab'", "valid"),
        ("SQL syntax error: aggregate function sum calls cannot be nested", ""),
        ("SQL parser error: You have an error in your SQL syntax", "valid"),
    ],
)
def test_an_error_of_the_product_stops_at(error: str | None, expected: str | None) -> None:
    assert gate(error) == expected


def test_another_server_that_does_not_support_it_says_nothing_of_the_product() -> None:
    assert gate("not supported: intervals", product=False) == "foreign"
    assert gate("Data truncated for column 'a'", product=False) == ""


def test_no_answer_is_a_finding_when_it_happens_twice() -> None:
    assert gate(None, lost=True) == "finding"
    assert TERMS.gate(Answer(lost=True), Answer(), is_product=True) == "stable"


def test_two_runs_with_other_words_are_not_stable() -> None:
    assert TERMS.gate(Answer(error="no row 1"), Answer(error="no row 2"), is_product=True) == "stable"


def test_an_error_is_compared_without_its_names_and_numbers() -> None:
    assert worded("internal error: there is no role r1") == worded("Internal error: there is no role `other`")
    assert worded("internal error: there is no role r1") != worded("internal error: there is no user r1")
