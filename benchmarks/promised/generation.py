"""Generated cases: what they cover of real pull requests, what gates keep out, their power; campaigns in full.py."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.promised.measure import INPUTS, MissingError, Promise, environment, run_python, shared

#: Pull requests of the small size; the campaign takes all.
_ROWS = 6
#: Below the campaign's goals (.52 and .62): so few pull requests scatter.
_SPECIFIC, _RECALL = 0.45, 0.5


def _recall() -> tuple[object, bool]:
    """Specific and plain recall (macro) of a few pull requests, by the evaluator of the development set."""
    repo, rows = (
        environment("MO_REPO"),
        Path(shared("generation", "dev.jsonl")).read_text(encoding="utf-8").splitlines(),
    )
    chosen = [rows[at * len(rows) // _ROWS] for at in range(_ROWS)]
    with tempfile.TemporaryDirectory(prefix="generation-") as folder:
        meta, out = Path(folder, "meta.jsonl"), Path(folder, "out")
        meta.write_text("\n".join(chosen) + "\n", encoding="utf-8")
        made = run_python(
            *("-m", "benchmarks.generation", "--repo", repo, "--meta", str(meta), "--out", str(out), "--format", "json")
        )
        if made.returncode:
            raise MissingError(made.stderr.strip().splitlines()[-1])
        scored = subprocess.run(
            [sys.executable, shared("generation", "evaluate.py"), str(meta), str(out), "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(scored.stdout)["at"]["60"]
    return (
        {"specific": found["spec_macro"], "recall": found["macro"]},
        found["spec_macro"] >= _SPECIFIC and found["macro"] >= _RECALL,
    )


def _power() -> tuple[object, bool]:
    found = INPUTS.benchmark("benchmarks.mutants")
    return {"mutants": found["mutants"], "killed of the living": found["share"]}, bool(found["ok"])


PROMISES = [
    Promise("generation-recall", f"specific >= {_SPECIFIC}, recall >= {_RECALL} on {_ROWS} pull requests", _recall),
    Promise("generation-gates", "0 fail", lambda: INPUTS.tests("tests/unit/generate/test_gates.py")),
    Promise("generation-same-bytes", "0 fail", lambda: INPUTS.tests("tests/unit/generate/test_generator.py")),
    Promise("generation-model", "0 fail", lambda: INPUTS.tests("tests/unit/generate/test_model.py")),
    Promise("generation-power", ">= 200 mutants, >= 80% killed", _power),
    Promise("generation-command", "0 fail", lambda: INPUTS.tests("tests/acceptance/test_generate_command.py")),
]
