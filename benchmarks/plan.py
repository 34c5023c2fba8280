"""What a plan costs, against the smallest program there is.

    python benchmarks/plan.py [--diff FILE] [--rounds 15] [--format text|json]

``process``: the whole of ``mo-testplan plan --strategies rules`` on a diff of 1,000 lines, over ``python -c pass``,
each the median of alternating runs. ``in_process``: diff text to plan bytes in a running interpreter, over the same;
the median over diffs of many sizes. Both are ratios of wall times measured in one go.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/plan.py` finds the packages without an installation

from orchestrator.diff.source import from_text  # noqa: E402 - after the path is set
from orchestrator.planner.encode import dumps  # noqa: E402
from orchestrator.planner.pipeline import build_plan  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

PROFILE = ROOT / "config" / "matrixone.yaml"
#: What the console script does.
ENTRY = "import sys; from orchestrator.cli.main import entry; entry()"
FOLDERS = ("pkg/sql/plan", "pkg/frontend", "pkg/vm/engine/tae/txn", "pkg/common/x", "test/distributed/cases/join")


def make_diff(lines: int) -> str:
    """A diff of about ``lines`` lines over Go and SQL files, the same each time."""
    text: list[str] = []
    number = 0
    while len(text) < lines:
        folder = FOLDERS[number % len(FOLDERS)]
        path = f"{folder}/file{number}.{'sql' if 'cases' in folder else 'go'}"
        text += [f"diff --git a/{path} b/{path}", "index 1111111..2222222 100644", f"--- a/{path}", f"+++ b/{path}"]
        for hunk in range(5):
            start = 1 + hunk * 100
            text.append(f"@@ -{start},8 +{start},10 @@ func (s *Server) Handle{hunk}(ctx context.Context) error {{")
            text += ["\tif err != nil {", "-\t\treturn err", "+\t\treturn wrap(err)", "+\t\t// done", "\t}"]
            text += ["\tx := s.get()", "\ty := s.put(x)", "+\tlog(y)", "\treturn nil", "}", " "]
        number += 1
    return "\n".join(line if line[:1] in "d-+i@" else f" {line.strip(' ')}" for line in text) + "\n"


def process_seconds(diff: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of ``python -c pass`` and of a whole ``plan``, alternating."""
    plan = ["plan", "--diff", str(diff), "--profile", str(PROFILE), "--strategies", "rules", "--format", "json"]
    passes, plans = [], []
    for _ in range(rounds):
        passes.append(_run([sys.executable, "-c", "pass"]))
        plans.append(_run([sys.executable, "-c", ENTRY, *plan]))
    return statistics.median(passes), statistics.median(plans)


def _run(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - start


def in_process_seconds(diffs: list[bytes]) -> float:
    """Median seconds from the text of a diff to the bytes of its plan."""
    profile = load_profile(str(PROFILE), settings_from({}))
    times = []
    for diff in diffs:
        start = time.perf_counter()
        dumps(build_plan(from_text(diff), profile, strategies=("rules",)))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(diff: Path, rounds: int) -> dict[str, float]:
    """All figures; ratios, and the milliseconds they come from."""
    diffs = [diff.read_bytes(), *(make_diff(lines).encode() for lines in range(100, 3000, 200))]
    in_process_seconds(diffs[:3])  # first use compiles patterns and fills caches
    inside = in_process_seconds(diffs)
    smallest, whole = process_seconds(diff, rounds)
    return {
        "lines": diff.read_bytes().count(b"\n"),
        "rounds": rounds,
        "pass_ms": round(smallest * 1000, 2),
        "process_ms": round(whole * 1000, 2),
        "process_ratio": round(whole / smallest, 2),
        "in_process_ms": round(inside * 1000, 2),
        "in_process_ratio": round(inside / smallest, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diff", type=Path, help="a real diff instead of the made one of 1,000 lines")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.diff"
        made.write_text(make_diff(1000))
        figures = measure(args.diff or made, args.rounds)
    if args.format == "json":
        print(json.dumps(figures))
        return
    print(f"whole process: {figures['process_ratio']:.1f} x `python -c pass` (at most 16, goal 8)")
    print(
        f"in process:    {figures['in_process_ms']:.1f} ms a diff, {figures['in_process_ratio']:.2f} x (at most 20 ms)"
    )
    print(f"               {figures['lines']} lines, {args.rounds} rounds, pass {figures['pass_ms']:.1f} ms")


if __name__ == "__main__":
    main()
