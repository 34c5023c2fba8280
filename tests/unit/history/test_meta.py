"""Programs that read rows say what is wrong with them, and end with 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.meta import rows_of_file

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no row"),
        ('\n{"sha": "x"}\n', ":2: needs a name (KeyError('name'))"),
        ("{", ":1: needs a name"),
        ("[]\n", ":1: needs a name"),
    ],
)
def test_what_is_wrong_with_rows_is_said(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = tmp_path / "meta.jsonl"
    meta.write_text(text)
    with pytest.raises(SystemExit, match="2"):
        rows_of_file(meta, lambda row: str(row["name"]), "a name")
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("selection.py", "--repo", ".", "--meta", "none.jsonl", "--out", "out"),
        ("generation.py", "--repo", ".", "--meta", "none.jsonl", "--out", "out"),
        ("generation_verified.py", "none"),
        ("selection_honest.py", "--repo", ".", "--parts", "none"),
        ("selection_campaign.py", "--parts", "none"),
    ],
)
def test_programs_end_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "none" in done.stderr
