"""De-duplication: right answers on labelled pairs, speed, growth, the dialect's coverage, the index's robustness."""

from __future__ import annotations

from typing import Any

from benchmarks.promised.measure import INPUTS, Promise

TESTS = "tests/unit/dedup"


def _figures(part: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = INPUTS.benchmark("benchmarks.dedup", "--parts", part, *words)[part]
    return found


def accuracy() -> tuple[object, bool]:
    """Precision, recall and F1 on the development pairs."""
    one = _figures("accuracy")["judges"]["ours"]
    right = one["precision"] >= 0.998 and one["recall"] >= 0.985 and one["f1"] >= 0.990
    return f"{one['precision']} / {one['recall']} / {one['f1']}", right


def speed(name: str, limit: float) -> tuple[object, bool]:
    """Processor time of a whole ``cases index`` over that of reference 1 in Go."""
    ratio = _figures("speed", "--rounds", "3")["ratios"][name]
    return ratio, ratio <= limit


def index_size() -> tuple[object, bool]:
    """Megabytes of the index of the whole corpus."""
    size = _figures("speed", "--rounds", "3")["index_mb"]
    return size, size <= 12


def query() -> tuple[object, bool]:
    """Milliseconds to look up a new script of 20 statements, median."""
    milliseconds = _figures("query")["plain"]["median_ms"]
    return milliseconds, milliseconds <= 8


def growth() -> tuple[object, bool]:
    """Ten times a tenth of the corpus over that tenth."""
    ratio = _figures("growth", "--step", "10")["ratio"]
    return ratio, ratio <= 12


def coverage() -> tuple[object, bool]:
    """The share of the corpus's different statements that the dialect reads."""
    share = _figures("coverage")["share"]
    return share, share >= 0.985


PROMISES = [
    Promise("dedup-accuracy", "P .998, R .985, F1 .990", accuracy),
    Promise("dedup-references", "0 fail", lambda: INPUTS.tests(f"{TESTS}/test_sameness.py")),
    Promise("dedup-cold", "<= 3.5 x reference 1", lambda: speed("cold", 3.5)),
    Promise("dedup-unchanged", "<= .10 x", lambda: speed("unchanged", 0.10)),
    Promise("dedup-five-files", "<= .30 x", lambda: speed("five files", 0.30)),
    Promise("dedup-index-mb", "<= 12", index_size),
    Promise("dedup-query-ms", "<= 8", query),
    Promise("dedup-growth", "<= 12 x for 10 x", growth),
    Promise(
        "dedup-properties", "0 fail", lambda: INPUTS.tests(f"{TESTS}/test_properties.py", f"{TESTS}/test_lexer.py")
    ),
    Promise("dedup-index", "0 fail", lambda: INPUTS.tests(f"{TESTS}/test_corpus.py")),
    Promise("dedup-dialect", ">= .985 read", coverage),
]
