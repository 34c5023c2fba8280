"""From examples to a `Ranker`, calibrated on examples held back. Needs the ``learn`` extra."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.history.examples import Example, Labelled
from orchestrator.history.features import ANY_CASE, CASE_FEATURES, CATEGORY_FEATURES, PACKAGE_FEATURES, strategy_of
from orchestrator.history.forest import Forest
from orchestrator.history.past import DAY, fade
from orchestrator.history.ranker import Ranker, mixed, worths
from orchestrator.history.train import Training, calibrate, fit, logits, plain, side_by_side

if TYPE_CHECKING:
    from orchestrator.history.train import Boosters, Numbers, Vector

#: Fewer labelled commits than this teach nothing that holds.
FEWEST = 40
#: Mean cost of the categories taken, as a share of all statements, and mean number of packages taken.
_CATEGORY_SHARE, _PACKAGES = 0.23, 15.0
#: Rows without a label that are kept of each commit, half of them the likeliest.
_KEPT = 160
#: Parts that the examples are cut into, so that each is judged by forests that have not seen it.
_FOLDS = 2
#: Categories are few rows: smaller leaves, and so many forests for each one of cases, as one hangs on chance.
_OF_CATEGORIES, _FORESTS = Training(rounds=80, least=20), 2
#: Days after which an example counts half, and days whose examples set the thresholds.
_HALF_LIFE, _RECENT = 500.0, 500 * DAY
#: Columns whose sum tells which rows without a label are likely.
_LIKELY = ("r_near_sum", "r_words_sum", "r_text_words", "r_text_path", "file_any")


@dataclass(slots=True)
class _Task:
    """One kind of test to rank: its rows in each example, and how they are named."""

    names: Sequence[str]
    of: Callable[[Example], Labelled | None]
    how: Training
    #: Strategies whose columns are kept from it.
    muted: frozenset[str]
    thin: bool = False

    def is_learnable(self, examples: Sequence[Example]) -> bool:
        """Whether enough examples have a test that was touched, outside of each part, too."""
        labelled = [bool(found.labels.any()) if (found := self.of(one)) else False for one in examples]
        rest = (sum(labelled[:first]) + sum(labelled[last:]) for first, last in _parts(len(examples)))
        return sum(labelled) >= FEWEST and all(rest)


#: Forests of one task that are averaged, for use and for comparisons of many models: one alone hangs on chance.
CAREFUL, QUICK = 2, 1


def fit_ranker(
    examples: Sequence[Example], now: int, muted: frozenset[str] = frozenset(), seeds: int = CAREFUL
) -> Ranker | None:
    """Train on ``examples``, in the order of time; None when they are too few. ``muted`` strategies are not heard."""
    labelled = [example for example in examples if example.cases is not None]
    tested = [example for example in examples if example.packages is not None]
    by_case = _Task(CASE_FEATURES, lambda example: example.cases, Training(seeds=seeds), muted, thin=True)
    of_categories = replace(_OF_CATEGORIES, seeds=_FORESTS * seeds)
    by_category = _Task(CATEGORY_FEATURES, lambda example: example.categories, of_categories, muted)
    by_package = _Task(PACKAGE_FEATURES, lambda example: example.packages, Training(), muted)
    if not (by_case.is_learnable(labelled) and by_category.is_learnable(labelled)):
        return None
    cases, case_folds = _fit(by_case, labelled, now)
    for example, raw in zip(labelled, case_folds, strict=True):
        _fill(example, raw, cases[1])
    categories, category_folds = _fit(by_category, labelled, now)
    price = _price(labelled, [_chance(raw, categories[1]) for raw in category_folds], now)
    packages, floor = Forest(tuple(PACKAGE_FEATURES), ()), 1.0
    if by_package.is_learnable(tested):
        fitted, folds = _fit(by_package, tested, now)
        packages, floor = plain(*fitted), _floor(tested, [_chance(raw, fitted[1]) for raw in folds], now)
    return Ranker(plain(*cases), plain(*categories), packages, price, floor, len(labelled))


def _fit(
    task: _Task, examples: Sequence[Example], now: int
) -> tuple[tuple[Boosters, tuple[float, float]], list[Vector]]:
    """The forests of a task with their calibration, and what forests that had not seen an example say of it."""
    import numpy as np

    folds: list[Vector] = []
    for first, last in _parts(len(examples)):
        boosters = _boosters(task, [*examples[:first], *examples[last:]], now)
        unseen = [labelled.rows for one in examples[first:last] if (labelled := task.of(one))]
        folds += side_by_side(partial(logits, boosters), unseen)
    labels = [labelled.labels for one in examples if (labelled := task.of(one))]
    line = calibrate(np.concatenate(folds), np.concatenate(labels))
    return (_boosters(task, examples, now), line), folds


def _parts(count: int) -> list[tuple[int, int]]:
    """Where each part of so many examples begins and ends."""
    bounds = [count * part // _FOLDS for part in range(_FOLDS + 1)]
    return list(itertools.pairwise(bounds))


def _boosters(task: _Task, examples: Sequence[Example], now: int) -> Boosters:
    import numpy as np

    rows, labels, weights = [], [], []
    for example in examples:
        labelled = task.of(example)
        if labelled is None or not labelled.labels.any():
            continue
        kept, weight = _sample(labelled, task.names, example.time) if task.thin else _all(labelled)
        rows.append(labelled.rows[kept])
        labels.append(labelled.labels[kept])
        age = fade(now - example.time, _HALF_LIFE)
        weights.append(weight * age / labelled.labels.sum() ** 0.5)
    matrix = np.concatenate(rows)
    matrix[:, [place for place, name in enumerate(task.names) if strategy_of(name) in task.muted]] = 0.0
    return fit(matrix, np.concatenate(labels), np.concatenate(weights), task.names, task.how)


def _all(labelled: Labelled) -> tuple[Numbers, Vector]:
    import numpy as np

    return np.arange(len(labelled.labels)), np.ones(len(labelled.labels))


def _sample(labelled: Labelled, names: Sequence[str], seed: int) -> tuple[Numbers, Vector]:
    """Rows to keep, and their weights: those with a label, the likeliest others, and some of the rest for all of it."""
    import numpy as np

    other = np.flatnonzero(labelled.labels == 0)
    if len(other) <= _KEPT:
        return _all(labelled)
    likely = labelled.rows[:, [names.index(name) for name in _LIKELY]].sum(axis=1)
    order = other[np.argsort(-likely[other], kind="stable")]
    hard, rest = order[: _KEPT // 2], order[_KEPT // 2 :]
    some = np.random.default_rng(seed).choice(rest, _KEPT // 2, replace=False)
    own = np.flatnonzero(labelled.labels)
    weights = np.concatenate([np.ones(len(own) + len(hard)), np.full(len(some), len(rest) / len(some))])
    return np.concatenate([own, hard, some]), weights


def _chance(raw: Vector, line: tuple[float, float]) -> Vector:
    import numpy as np

    chance: Vector = 1.0 / (1.0 + np.exp(-np.clip(line[0] * raw + line[1], -30, 30)))
    return chance


def _fill(example: Example, raw: Vector, line: tuple[float, float]) -> None:
    """Write the first two columns of an example's categories: the chance of any of its cases, and the highest."""
    import numpy as np

    if example.categories is None:
        return
    chance = _chance(raw, line)
    doubt = np.ones(len(example.categories.rows))
    np.multiply.at(doubt, example.home, 1 - np.minimum(chance, 0.999))
    top = np.zeros(len(doubt))
    np.maximum.at(top, example.home, chance)
    example.categories.rows[:, 0], example.categories.rows[:, 1] = 1 - doubt, top


def _price(examples: Sequence[Example], chances: Sequence[Vector], now: int) -> float:
    """The price at which the categories taken cost `_CATEGORY_SHARE` on average."""
    import numpy as np

    bought = []
    for example, chance in _recent(examples, chances, now):
        share = np.bincount(example.home, example.statements, len(chance)) / max(1.0, example.statements.sum())
        any_case = example.categories.rows[:, ANY_CASE] if example.categories else chance
        both = [mixed(one, other) for one, other in zip(chance, any_case, strict=True)]
        bought.append((np.array(worths(both, list(share))), share))
    return _bisect(
        lambda price: float(np.mean([share[worth >= price].sum() for worth, share in bought])), _CATEGORY_SHARE
    )


def _floor(examples: Sequence[Example], chances: Sequence[Vector], now: int) -> float:
    """The chance above which `_PACKAGES` packages lie on average."""
    import numpy as np

    recent = [chance for _, chance in _recent(examples, chances, now)]
    return _bisect(lambda floor: float(np.mean([(chance >= floor).sum() for chance in recent])), _PACKAGES)


def _recent(examples: Sequence[Example], chances: Sequence[Vector], now: int) -> list[tuple[Example, Vector]]:
    """The examples of the last days with their chances; all of them where tests were last touched long ago."""
    both = list(zip(examples, chances, strict=True))
    return [(one, chance) for one, chance in both if now - one.time <= _RECENT] or both


def _bisect(falling: Callable[[float], float], goal: float) -> float:
    """Where a falling function comes down to ``goal``, to a thousandth of its argument, between 1e-6 and 1e6."""
    low, high = 1e-6, 1e6
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if falling(middle) > goal else (low, middle)
    return float(f"{high:.6g}")
