"""What a selection is worth, by the labels a clone itself holds: recall of what the author touched, and its cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.history.layout import category_of
from orchestrator.history.outlook import Outlook, fill
from orchestrator.history.timeline import Touched


@dataclass(slots=True)
class Recall:
    """Micro and macro recall over commits, and the mean cost of what was chosen."""

    hit: int = 0
    wanted: int = 0
    shares: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def add(self, chosen: Iterable[str], wanted: set[str], cost: float) -> None:
        """One commit; those that want nothing do not count."""
        if wanted:
            hit = len(wanted & set(chosen))
            self.hit, self.wanted = self.hit + hit, self.wanted + len(wanted)
            self.shares.append(hit / len(wanted))
            self.costs.append(cost)

    def row(self) -> dict[str, float]:
        """Figures, or nothing when nothing was wanted."""
        count = len(self.shares)
        if not count:
            return {}
        figures = {"micro": self.hit / self.wanted, "macro": sum(self.shares) / count, "cost": sum(self.costs) / count}
        return {"n": count, **{name: round(value, 4) for name, value in figures.items()}}


@dataclass(slots=True)
class Scores:
    """Files at a tenth of all statements, categories as chosen, packages as chosen."""

    files: Recall = field(default_factory=Recall)
    categories: Recall = field(default_factory=Recall)
    packages: Recall = field(default_factory=Recall)

    def add(self, outlook: Outlook, own: set[str], touched: Touched) -> None:
        """One commit: what the outlook chooses, and what the author touched."""
        cases = fill(outlook.ranked_cases(), outlook.statements, 0.1 * outlook.total)
        spent = sum(outlook.statements[stem] for stem in cases) / outlook.total
        self.files.add(cases, {stem for stem in touched.modified if stem in outlook.statements}, spent)
        sizes = outlook.category_statements()
        chosen = outlook.chosen_categories()
        wanted = {category_of(stem) for stem in touched.cases} & sizes.keys()
        self.categories.add(chosen, wanted, sum(sizes[name] for name in chosen) / outlook.total)
        packages = outlook.chosen_packages(own)
        self.packages.add(packages, set(touched.packages), len(packages))

    def rows(self) -> dict[str, dict[str, float]]:
        """The figures of all three."""
        return {"files_at_10%": self.files.row(), "select": self.categories.row(), "packages": self.packages.row()}


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    """A Markdown table: a line a variant, micro / macro recall and what it costs."""
    lines = [
        "| strategies | modified files at 10% | categories, `select` | at | packages | how many |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures.items():
        files, categories, packages = (_recall(row[kind]) for kind in ("files_at_10%", "select", "packages"))
        share, count = row["select"].get("cost", 0.0), row["packages"].get("cost", 0.0)
        lines.append(f"| {name} | {files} | {categories} | {share:.1%} | {packages} | {count:.1f} |")
    return "\n".join(lines)


def _recall(row: dict[str, float]) -> str:
    return " / ".join(f"{row[name]:.3f}".removeprefix("0") for name in ("micro", "macro")) if row else "-"
