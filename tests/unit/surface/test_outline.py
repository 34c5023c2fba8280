from __future__ import annotations

from orchestrator.surface.outline import outline


def test_functions_of_one_line_end_there() -> None:
    source = (
        "package p\n\nfunc (a *A) Name() string { return quoted(a) }\n\n"
        "type A struct {\n\tb batch.Batch\n}\n\nfunc B(\n\tx int,\n) error {\n\treturn c(x)\n}\n\nfunc D() {}\n"
    )
    assert [(one.name, set(one.references)) for one in outline(source)] == [
        ("A.Name", {"quoted"}),
        ("B", {"c"}),
        ("D", set()),
    ]


def test_functions_that_nothing_ends_are_read_once() -> None:
    assert len(outline("func a(\n" * 100_000)) == 100_000
