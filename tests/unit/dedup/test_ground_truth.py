"""The development pairs, and digests that must not change unnoticed."""

from __future__ import annotations

import gzip
import json

from orchestrator.cases.dedup import compare_texts
from orchestrator.cases.fingerprint import SCHEME, fingerprint
from tests.shared import shared_dir


def test_precision_and_recall_on_a_part_of_the_development_pairs() -> None:
    """Every fourth pair; benchmarks/dedup.py takes all."""
    with gzip.open(shared_dir("dedup", "eval_dev.jsonl.gz"), "rt", encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file][::4]
    right = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for pair in pairs:
        right[bool(pair["label"]), compare_texts(pair["a"], pair["b"]).duplicate] += 1
    found = right[True, True]
    assert found / (found + right[False, True]) >= 0.998
    assert found / (found + right[True, False]) >= 0.985


def test_digests_are_those_of_their_scheme() -> None:
    """Where this fails a digest stands for something else: raise both schemes, then write the new ones here."""
    found = fingerprint("create table t (a int, status int); select status, a from t where a in (12, 'x') limit 3")
    assert (SCHEME, found.exact.hex()[:16], found.shape.hex()[:16], f"{found.bag:016x}") == (
        4,
        "e2cf8f2085a2919f",
        "5b4c57e38b241ccc",
        "00edd95c9acf9bb4",
    )
