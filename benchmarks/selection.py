"""How much of what authors touched is chosen, and at what cost: predictions for real commits, made as of their day.

    python benchmarks/selection.py --repo CLONE --meta META.jsonl --out PREDS.jsonl [--profile P] [--ablation]

A row of META has ``sha, parent, pr, date, src``; anything else in it is ignored. For each, what the product would have
known is rebuilt from the clone alone: history older than three days, the tree at the parent, and the changed lines of
``src``. The ranking models are those made at the start of the row's month. Labels and text come from the clone, which
may be bare and may lack large blobs.

A prediction has ``sha, categories`` (ranked), ``cases`` (ranked stems), ``select`` (categories an adaptive budget of
25% takes), ``ut_packages`` (ranked, the chosen ones first) and ``ut_chosen`` (how many).
``--ablation`` prints a table of what each strategy is worth alone, and what is left without it, by labels from the
clone, of models that are made once, at the start of the first row's month, and with less care: "all, quick" is to be
compared with them. The last line of the output is the figures as JSON in any case.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/selection.py` finds the packages without an installation

from benchmarks.meta import rows_of_file  # noqa: E402
from benchmarks.selection_scores import Scores, table  # noqa: E402
from orchestrator.diff.git import Git, Objects, find_git, isolated  # noqa: E402 - after the path is set
from orchestrator.domain.profile import Profile  # noqa: E402
from orchestrator.history.code import CodeReader  # noqa: E402
from orchestrator.history.commits import Commit, read_commits  # noqa: E402
from orchestrator.history.facts import make_facts  # noqa: E402
from orchestrator.history.outlook import Outlook, see, weigh  # noqa: E402
from orchestrator.history.patches import Patch  # noqa: E402
from orchestrator.history.ranker import Ranker  # noqa: E402
from orchestrator.history.reading import with_patches  # noqa: E402
from orchestrator.history.study import WINDOW, Study, month_of, question_of  # noqa: E402
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

    @property
    def own(self) -> set[str]:
        """Directories of its Go files."""
        return {path.rpartition("/")[0] for path in self.paths if path.endswith(".go")}


@dataclass(frozen=True, slots=True)
class Variant:
    """Models that do not hear some strategies, and what their choices are worth."""

    muted: frozenset[str] = frozenset()
    #: Made once, with less care.
    quick: bool = False
    scores: Scores = field(default_factory=Scores)


Variants = dict[str, Variant]
#: The variant whose predictions are written: it hears everything. The same, made as those of an ablation are.
ALL, QUICK = "all", "all, quick"
#: The strategies of the ablation table.
STRATEGIES = ("history", "lexical", "surface", "rules", "imports")


def variants_of(ablation: bool) -> Variants:
    """The one variant that hears all, and for an ablation each strategy alone, and all without it."""
    every = frozenset((*STRATEGIES, "changed"))
    found = {ALL: Variant()} | ({QUICK: Variant(quick=True)} if ablation else {})
    for name in STRATEGIES if ablation else ():
        without = {f"without {name}": Variant(frozenset({name}), quick=True)}
        found |= {f"only {name}": Variant(every - {name}, quick=True)} | without
    return found


def read_rows(path: Path) -> list[Asked]:
    """The rows of a metadata file, oldest first."""
    asked = rows_of_file(path, _asked, "sha, parent, date and src with p")
    return sorted(asked, key=lambda one: (one.time, one.sha))


def _asked(row: dict[str, Any]) -> Asked:
    time = int(datetime.fromisoformat(row["date"]).timestamp())
    return Asked(row["sha"], row["parent"], time, tuple(entry["p"] for entry in row["src"]))


def predict(git: Git, profile: Profile, rows: list[Asked], variants: Variants) -> Iterator[dict[str, Any]]:
    """Predictions of all rows; those that are not ancestors of the newest get a walk of their own."""
    while rows:
        commits = read_commits(git, rows[-1].sha)
        on_line = {commit.sha for commit in commits}
        here = [row for row in rows if row.sha in on_line]
        with Objects(git) as objects:
            yield from _Walk(git, profile, here, objects, variants).predictions(with_patches(git, commits))
        rows = [row for row in rows if row.sha not in on_line]


class _Walk:
    """One pass over a line of commits that answers the rows on it."""

    def __init__(self, git: Git, profile: Profile, rows: list[Asked], objects: Objects, variants: Variants) -> None:
        self._variants = variants
        self._profile = profile
        self._rows = {row.sha: row for row in rows}
        self._objects = objects
        start = month_of(rows[0].time) - WINDOW
        self._study = Study(profile, start, CodeReader(git, objects, profile.bvt.surface))
        self._made = -1
        self._rankers: dict[str, Ranker | None] = {}
        self._fresh: dict[str, Ranker | None] = {}

    def predictions(self, history: Iterable[tuple[Commit, Patch]]) -> Iterator[dict[str, Any]]:
        """A prediction a row, as its commit comes by."""
        layout = self._study.timeline.layout
        for commit, patch in history:
            row = self._rows.pop(commit.sha, None)
            if row is not None:
                self._study.turn(commit)
                yield self._answer(row, patch, commit)
            files = [entry.path for entry in commit.entries if layout.is_production(entry.path)]
            self._study.step(commit, make_facts(files, patch), self._objects.read)
            if not self._rows:
                return

    def _answer(self, row: Asked, patch: Patch, commit: Commit) -> dict[str, Any]:
        timeline = self._study.timeline
        timeline.settle(row.time - LAG)
        began = month_of(row.time)
        if began != self._made:
            self._make(began)
        question = question_of(self._profile, make_facts(row.paths, patch), row.time, self._study.code)
        told: dict[str, Any] = {
            "sha": row.sha, "categories": [], "cases": [], "select": [], "ut_packages": [], "ut_chosen": 0
        }  # fmt: skip
        seen, touched = see(timeline.past, timeline.book, question), timeline.touched(commit.entries)
        for name, ranker in self._rankers.items():
            if ranker is not None and (name == ALL or touched.cases):
                outlook = weigh(ranker, seen)
                self._variants[name].scores.add(outlook, row.own, touched)
                told = prediction(row, outlook) if name == ALL else told
        return told

    def _make(self, began: int) -> None:
        """Make the models of the month that begins."""
        self._study.forget(began - WINDOW)
        for name, variant in self._variants.items():
            if not (variant.quick and self._rankers):
                self._fresh[name] = self._study.fit(began - LAG, variant.muted, quick=variant.quick)
                day = datetime.fromtimestamp(began, UTC)
                spent = time.process_time()
                print(f"{name}: of {day:%Y-%m-%d}, {spent:.0f} s of processor time", file=sys.stderr, flush=True)
        self._rankers = dict(self._fresh)
        self._made = began


def prediction(row: Asked, outlook: Outlook) -> dict[str, Any]:
    """An outlook as the evaluator reads it."""
    chosen = outlook.chosen_packages(row.own)
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
    parser.add_argument("--ablation", action="store_true", help="print what each strategy is worth")
    parser.add_argument("--profile", default=str(ROOT / "config" / "matrixone.yaml"))
    args = parser.parse_args()
    require_learning()
    profile = load_profile(args.profile, settings_from({}))
    rows = read_rows(args.meta)
    found = find_git(args.repo)
    made = {}
    variants = variants_of(args.ablation)
    with isolated(found, rows[-1].sha) as git, args.out.open("w") as out:
        for one in predict(git, profile, rows, variants):
            out.write(json.dumps(one) + "\n")
            made[one["sha"]] = one
    figures = {name: variant.scores.rows() for name, variant in variants.items()}
    if args.ablation:
        print(table(figures))
    seconds = {"processor_seconds": round(time.process_time(), 1)}
    counts = {"rows": len(rows), "predictions": len(made)}
    print(json.dumps({**counts, **seconds, **unit_tests(args.meta, made), "by_clone": figures}))


if __name__ == "__main__":
    main()
