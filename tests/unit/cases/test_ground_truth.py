"""Against what the real program answered; skipped where the ground truth is not at hand."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from functools import cache
from typing import Any

from orchestrator.cases.discover import result_paths
from orchestrator.cases.expectation import split_expectations
from orchestrator.cases.rows import expectations_row, script_row
from orchestrator.cases.script import Script, parse_script
from orchestrator.cases.writer import write_expectations, write_script
from tests.shared import shared_dir

DEFAULTS: dict[str, Any] = {
    "conn": 0, "user": None, "password": None, "ignore": False, "issue": None, "separator": "both", "pattern": False,
    "sortkeys": [], "ignore_columns": [], "regexes": [], "sleep": 0, "system": [], "wait": False, "wait_conn": 0,
    "wait_op": "commit", "metacmp": None, "wait_expect": False, "wait_expect_interval": 1, "wait_expect_timeout": 20,
    "use_db": "s",
}  # fmt: skip


@cache
def corpus() -> dict[str, str]:
    with tarfile.open(shared_dir("corpus", "matrixone-cases.tar.xz")) as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
        return {name: file.read().decode("utf-8", "replace") for name, file in files if file}


def truth(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(shared_dir("motester", name), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def parsed(path: str) -> Script:
    return parse_script(corpus()[path], path, ignore_issues=True)


def test_every_parse_vector() -> None:
    wrong = []
    for line in shared_dir("motester", "parse_vectors.jsonl").read_text("utf-8").strip().split("\n"):
        vector = json.loads(line)
        script = parse_script(vector["script"], "s.sql", ignore_issues=vector.get("ignore_mode", True))
        row = json.loads(script_row(script))
        if vector["expect"] == "THROWS":
            agrees = row["error"] is not None
        else:
            expected = [{**DEFAULTS, **command} for command in vector["commands"]]
            keys = ("skipped", "doc_metacmp")
            agrees = row["commands"] == expected and all(row[key] == vector[key] for key in keys) and not row["error"]
        wrong += [] if agrees else [vector["name"]]
    assert wrong == []


def test_every_script_of_the_case_tree() -> None:
    rows = list(truth("parse_truth_open.jsonl.gz"))
    assert [row["path"] for row in rows if json.loads(script_row(parsed(row["path"]))) != row] == []
    assert len(rows) > 800


def test_every_result_file_of_the_case_tree() -> None:
    wrong = []
    for row in truth("result_truth_open.jsonl.gz"):
        script = parsed(row["path"])
        result_file = next(path for path in result_paths(script.path) if path in corpus())
        expectations = split_expectations(script, corpus()[result_file])
        if json.loads(expectations_row(script, result_file, expectations)) != row:
            wrong.append(row["path"])
    assert wrong == []


def test_writing_and_parsing_again_changes_nothing() -> None:
    wrong = []
    for path in filter(lambda path: path.endswith((".sql", ".test")), corpus()):
        script = parsed(path)
        expectations = split_expectations(script, corpus()[next(p for p in result_paths(path) if p in corpus())])
        again = split_expectations(script, write_expectations(script, expectations))
        if parse_script(write_script(script), path, ignore_issues=True) != script or again != expectations:
            wrong.append(path)
    assert wrong == []
