import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from orchestrator.generate.chance import Chance
from orchestrator.generate.columns import COLUMNS, edges
from orchestrator.generate.generator import generate
from orchestrator.generate.history import Past, PastChange
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.library import read_script
from tests.unit.generate.factories import make_inputs

ROOT = Path(__file__).resolve().parents[3]


def inputs_with_past() -> Inputs:
    """Inputs with a past, in which many aspects are worth the same."""
    calls = ", ".join(f"{name}(a)" for name in ("hex", "bin", "oct", "md5", "sha1", "trim", "abs", "sign", "ascii"))
    past = [
        PastChange(
            f"{number:040}", "fix: empty text", ("pkg/sql/plan/function/func_unary.go",), read_script(sql).aspects
        )
        for number, sql in enumerate((" ".join(("select", calls, "from t;")), "show tables like 'a';"), 1)
    ]
    cases = {
        f"function/{name}.sql": f"create table t (a int);\nselect {name}(a) from t;\nselect {name}(a + 1) from t;\n"
        for name in ("hex", "bin", "oct", "md5", "sha1", "trim", "sign")
    }
    return replace(make_inputs(cases=cases), past=Past(past))


def written(seed: int) -> str:
    """All files of a generation, and the evidence in the order in which everything after it meets it."""
    made = generate(inputs_with_past(), "1", 20, seed=seed)
    return "\n".join((*(f"{one.path}\n{one.text}" for one in made.drafts), *made.evidence.odds))


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_hashes() -> None:
    program = "from tests.unit.generate.test_seeds import written; print(written(0), written(3))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hashes in ("1", "2", "3")
    }
    assert len(printed) == 1
    assert len(printed.pop()) > 100


def test_another_seed_writes_other_cases_of_the_same_function() -> None:
    texts = {generate(make_inputs(), "1", 40, seed=seed).drafts[0].text for seed in range(4)}
    assert len(texts) == 4
    assert all("ascii(" in text for text in texts)


def test_a_seed_declares_columns_and_fills_rows_in_another_way() -> None:
    assert edges("decimal") == edges("decimal", Chance(0))
    made = {edges(kind, Chance(seed)) for kind in COLUMNS for seed in range(6)}
    assert len(made) > len(COLUMNS)
    for kind, (_, values) in COLUMNS.items():
        assert edges(kind, Chance(5)).values[1:] == tuple(values[1:])


def test_a_seed_chooses_the_same_for_the_same_name() -> None:
    assert Chance(7).factor("a", 0.2) == Chance(7).factor("a", 0.2)
    assert 0.8 <= Chance(7).factor("a", 0.2) <= 1.2
    assert Chance(0).factor("a", 0.2) == 1.0
    assert {Chance(seed).one_of("abc", "x") for seed in range(1, 20)} == set("abc")
    assert Chance(0).one_of("abc", "x") == "a"
