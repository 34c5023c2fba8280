"""How much of what authors touched is chosen, and at what cost: predictions for real commits, made as of their day.

    python benchmarks/selection.py --repo CLONE --meta META.jsonl --out PREDS.jsonl [--profile P] [--without SIGNAL …]

A row of META has ``sha, parent, pr, date, src``; anything else in it is ignored. For each, what the product would have
known is rebuilt from the clone alone: history older than three days, the tree at the parent, and the changed lines of
``src``. The ranking models are those made at the start of the row's quarter. Labels and text come from the clone, which
may be bare and may lack large blobs.

A prediction has ``sha, categories`` (ranked), ``cases`` (ranked stems), ``select`` (categories an adaptive budget of
25% takes), ``ut_packages`` (ranked, the chosen ones first) and ``ut_chosen`` (how many).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/selection.py` finds the packages without an installation

from orchestrator.diff.git import Git, Objects, find_git, isolated  # noqa: E402 - after the path is set
from orchestrator.domain.profile import Profile  # noqa: E402
from orchestrator.history.commits import Commit, read_commits  # noqa: E402
from orchestrator.history.facts import make_facts  # noqa: E402
from orchestrator.history.outlook import Outlook, look  # noqa: E402
from orchestrator.history.patches import Patch  # noqa: E402
from orchestrator.history.ranker import Ranker  # noqa: E402
from orchestrator.history.reading import with_patches  # noqa: E402
from orchestrator.history.study import WINDOW, Study, question_of  # noqa: E402
from orchestrator.history.timeline import LAG  # noqa: E402
from orchestrator.history.train import require_learning  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402


@dataclass(frozen=True, slots=True)
class Asked:
    """One row: a commit, its time (seconds since 1970), and the paths of its production part."""

    sha: str
    parent: str
    time: int
    paths: tuple[str, ...]


def read_rows(path: Path) -> list[Asked]:
    """The rows of a metadata file, oldest first."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    asked = [
        Asked(
            row["sha"],
            row["parent"],
            int(datetime.fromisoformat(row["date"]).timestamp()),
            tuple(entry["p"] for entry in row["src"]),
        )
        for row in rows
    ]
    return sorted(asked, key=lambda one: (one.time, one.sha))


def quarter(time: int) -> int:
    """When the quarter of a time began."""
    day = datetime.fromtimestamp(time, UTC)
    return int(datetime(day.year, 1 + (day.month - 1) // 3 * 3, 1, tzinfo=UTC).timestamp())


def predict(git: Git, profile: Profile, rows: list[Asked]) -> Iterator[dict[str, Any]]:
    """Predictions of all rows; those that are not ancestors of the newest get a walk of their own."""
    while rows:
        commits = read_commits(git, rows[-1].sha)
        on_line = {commit.sha for commit in commits}
        here = [row for row in rows if row.sha in on_line]
        with Objects(git) as objects:
            yield from _Walk(profile, here, objects).predictions(with_patches(git, commits))
        rows = [row for row in rows if row.sha not in on_line]


class _Walk:
    """One pass over a line of commits that answers the rows on it."""

    def __init__(self, profile: Profile, rows: list[Asked], objects: Objects) -> None:
        self._profile = profile
        self._rows = {row.sha: row for row in rows}
        self._objects = objects
        self._study = Study(profile, quarter(rows[0].time) - WINDOW)
        self._made = -1
        self._ranker: Ranker | None = None

    def predictions(self, history: Iterable[tuple[Commit, Patch]]) -> Iterator[dict[str, Any]]:
        """A prediction a row, as its commit comes by."""
        layout = self._study.timeline.layout
        for commit, patch in history:
            row = self._rows.pop(commit.sha, None)
            if row is not None:
                yield self._answer(row, patch)
            files = [entry.path for entry in commit.entries if layout.is_production(entry.path)]
            self._study.step(commit, make_facts(files, patch), self._objects.read)
            if not self._rows:
                return

    def _answer(self, row: Asked, patch: Patch) -> dict[str, Any]:
        timeline = self._study.timeline
        timeline.settle(row.time - LAG)
        began = quarter(row.time)
        if began != self._made:
            self._study.forget(began - WINDOW)
            self._ranker = self._study.fit(began - LAG)
            self._made = began
            print(f"models of {datetime.fromtimestamp(began, UTC):%Y-%m-%d}", file=sys.stderr, flush=True)
        if self._ranker is None:
            return {"sha": row.sha, "categories": [], "cases": [], "select": [], "ut_packages": [], "ut_chosen": 0}
        question = question_of(self._profile, make_facts(row.paths, patch), row.time)
        return prediction(row, look(self._ranker, timeline.past, timeline.book, question))


def prediction(row: Asked, outlook: Outlook) -> dict[str, Any]:
    """An outlook as the evaluator reads it."""
    own = {path.rpartition("/")[0] for path in row.paths if path.endswith(".go")}
    chosen = outlook.chosen_packages(own)
    rest = [name for name in outlook.ranked_packages() if name not in set(chosen)]
    return {
        "sha": row.sha,
        "categories": outlook.ranked_categories(),
        "cases": outlook.ranked_cases(),
        "select": outlook.chosen_categories(),
        "ut_packages": chosen + rest,
        "ut_chosen": len(chosen),
    }


def unit_tests(meta: Path, predictions: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Micro recall of the chosen packages and their mean number, over rows that carry such labels."""
    hit = wanted = chosen = count = 0
    for line in meta.read_text().splitlines():
        row = json.loads(line)
        labels = set(row.get("ut_pkgs") or ())
        if row.get("ut") and 1 <= len(labels) <= 60 and row["sha"] in predictions:
            made = predictions[row["sha"]]
            hit += len(labels & set(made["ut_packages"][: made["ut_chosen"]]))
            wanted, chosen, count = wanted + len(labels), chosen + made["ut_chosen"], count + 1
    return {"ut_recall": round(hit / wanted, 4), "ut_mean_chosen": round(chosen / count, 2)} if count else {}


def main() -> None:
    """Write the predictions, and print what unit tests the choice holds where the rows say which were touched."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, type=Path)
    parser.add_argument("--meta", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--profile", default=str(ROOT / "config" / "matrixone.yaml"))
    args = parser.parse_args()
    require_learning()
    profile = load_profile(args.profile, settings_from({}))
    rows = read_rows(args.meta)
    found = find_git(args.repo)
    made = {}
    with isolated(found, rows[-1].sha) as git, args.out.open("w") as out:
        for one in predict(git, profile, rows):
            out.write(json.dumps(one) + "\n")
            made[one["sha"]] = one
    print(json.dumps({"rows": len(rows), "predictions": len(made), **unit_tests(args.meta, made)}))


if __name__ == "__main__":
    main()
