from __future__ import annotations

from orchestrator.diff.functions import Span, spans, touched

SOURCE = b"""package p

//line other.y:900
// F is documented.
func F() {
	x := func() int { return 1 }
	_ = x
}

type T[K any] struct{}

func (t *T[K]) Get(
	k K,
) int {
	return `
}
`
}

func (T[K]) One() {}

func asm(x *int) int

var g = func() {
	F()
}

func Generic[A, B any](a A) {}
"""


def test_spans_run_from_func_to_the_closing_brace_in_physical_lines() -> None:
    assert spans(SOURCE) == [
        Span("F", 5, 8),
        Span("T.Get", 12, 18),
        Span("T.One", 20, 20),
        Span("asm", 22, 22),
        Span("Generic", 28, 28),
    ]


def test_only_functions_that_hold_a_changed_line_are_touched() -> None:
    assert touched(SOURCE, [4, 9, 10, 24, 25]) == set()
    assert touched(SOURCE, [5]) == {"F"}
    assert touched(SOURCE, [1, 8, 16, 22]) == {"F", "T.Get", "asm"}
    assert touched(SOURCE, []) == set()


def test_a_syntax_error_costs_no_other_function() -> None:
    broken = b"package p\n\nfunc A() {\n\tx()\n}\n\nfunc B() {\n\tif {{ ][\n}\n\nfunc C() {\n\ty()\n}\n"
    assert touched(broken, [4, 12]) >= {"A"}
    assert touched(broken, [4]) == {"A"}


def test_bytes_that_are_not_go_have_no_functions() -> None:
    assert spans(b"") == []
    assert spans(bytes(range(256)) * 10) == []
