"""The SQL case format and its runner."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise

PROMISES = [
    Promise("parse-truth", "0 differences", lambda: INPUTS.tests("tests/unit/cases/test_ground_truth.py")),
    Promise("compare-vectors", "0 differences", lambda: INPUTS.tests("tests/unit/bvt_compare/test_ground_truth.py")),
]
