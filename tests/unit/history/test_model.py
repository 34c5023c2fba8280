from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.errors import BadModelError, UsageError
from orchestrator.history.facts import make_facts
from orchestrator.history.learn import learn, update
from orchestrator.history.model import Model, load_model, save_model
from orchestrator.history.outlook import look
from orchestrator.history.study import question_of
from tests.require import require
from tests.unit.history.product import DAY, PROFILE, START, add_commits, make_history


def chances(model: Model, *paths: str) -> dict[str, float]:
    """What a model says of a change to some files."""
    assert model.ranker is not None
    question = question_of(PROFILE, make_facts(paths, {}), model.time, model.code)
    return look(model.ranker, model.past, model.book, question).cases


def test_the_cases_that_moved_with_a_file_are_the_likeliest(model: Model) -> None:
    likely = sorted(chances(model, "pkg/cursor/cursor.go").items(), key=lambda item: -item[1])
    assert {stem for stem, _ in likely[:2]} == {"cursor/cursor_0", "cursor/cursor_1"}


def test_a_saved_model_says_what_it_said(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model"
    save_model(model, path)
    again = load_model(path)
    assert (again.head, again.time, again.repository) == (model.head, model.time, model.repository)
    assert chances(again, "pkg/vector/vector.go") == pytest.approx(chances(model, "pkg/vector/vector.go"), rel=1e-4)
    save_model(again, tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == path.read_bytes()


#: In the place of a tree's fields: a loop, a leaf and a feature there are not, fields that differ in length, a leaf
#: that two ways lead to, words.
ODD_TREES: list[dict[str, list[Any]]] = [
    {"left": [0]}, {"right": [-300]}, {"feature": [9999]}, {"threshold": []}, {"left": [-2]}, {"leaves": ["a", "b"]},
]  # fmt: skip
#: What no model holds, by where: an observation there is not, counts and times that cannot be, no list.
ODD_VALUES: list[tuple[tuple[str | int, ...], Any]] = [
    (("past", "channels", "word", "heard", 0), [100_000]),
    (("past", "channels", "word", "heard", 0), ["1"]),
    (("past", "channels", "word", "heard", 0), 7),
    (("past", "channels", "name", "unheard"), [[1]]),
    (("past", "channels", "name", "tokens", 0), 7),
    (("past", "channels", "name", "seen", 0), [1.0]),
    (("past", "channels", "file", "frequency", 0), -1),
    (("past", "observed", 0, 1), 10**13),
    (("past", "observed", 0, 5, 0), 0),
    (("past", "cases", 0, 2), float("inf")),
    (("time",), float("inf")),
    (("time",), "yesterday"),
    (("ranker", "cases", "slope"), float("nan")),
    (("ranker", "packages", "features"), ["own"]),
]


def with_value(document: dict[str, Any], place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A model's document with another value in one place."""
    made: Any = json.loads(json.dumps(document))
    inside = made
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return dict(made)


def with_tree(document: dict[str, Any], **changes: list[Any]) -> dict[str, Any]:
    """A model's document whose first forest has one tree, of two leaves; and of that some fields."""
    tree = {"feature": [0], "threshold": [0.5], "left": [-1], "right": [-2], "leaves": [0.0, 1.0], "values": [0.5]}
    ranker = document["ranker"]
    return document | {"ranker": ranker | {"cases": ranker["cases"] | {"trees": [tree | changes]}}}


def test_a_damaged_or_foreign_file_is_refused_with_what_to_do(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model"
    save_model(model, path)
    document = json.loads(gzip.decompress(path.read_bytes()))
    broken = [
        path.read_bytes()[:-40],
        b"no model",
        gzip.compress(b"[]"),
        gzip.compress(json.dumps(document | {"scheme": 99}).encode()),
        gzip.compress(json.dumps(document | {"past": {}}).encode()),
        gzip.compress(json.dumps(document | {"head": f"--output={tmp_path / 'written'}"}).encode()),
        gzip.compress(json.dumps(document | {"ranker": {"cases": 7}}).encode()),
        *(gzip.compress(json.dumps(with_tree(document, **odd)).encode()) for odd in ODD_TREES),
        *(gzip.compress(json.dumps(with_value(document, *odd)).encode()) for odd in ODD_VALUES),
        gzip.compress(json.dumps(with_tree(document, leaves=[0.0, 0.125])).replace("0.125", "1e999").encode()),
    ]
    path.write_bytes(gzip.compress(json.dumps(with_tree(document)).encode()))
    assert load_model(path).ranker is not None
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(BadModelError, match="mo-testplan learn"):
            load_model(path)
    with pytest.raises(BadModelError, match="cannot be read"):
        load_model(tmp_path / "missing")


def test_an_update_knows_what_a_new_model_would(tmp_path: Path) -> None:
    require("lightgbm")
    repository = make_history(tmp_path, 100)
    old = learn(repository, PROFILE, "main").model
    add_commits(repository, 100, 10)
    updated = update(old, repository, PROFILE, "main")
    new = learn(repository, PROFILE, "main").model
    assert updated.commits == 10
    assert (updated.model.head, updated.model.time) == (new.head, new.time)
    assert updated.model.book.stems == new.book.stems
    assert [one.sha for one in updated.model.past.observed] == [one.sha for one in new.past.observed]


def test_a_model_of_another_project_or_line_is_not_updated(model: Model, product: Path, tmp_path: Path) -> None:
    with pytest.raises(BadModelError, match="profile 'other'"):
        update(replace(model, profile="other"), product, PROFILE, "main")
    with pytest.raises(BadModelError, match="another repository"):
        update(model, make_history(tmp_path, 5), PROFILE, "main")
    with pytest.raises(BadModelError, match="does not go through"):
        update(replace(model, head=_commit(product, "main~3^{tree}", model)), product, PROFILE, "main")


def _commit(product: Path, tree: str, model: Model) -> str:
    """A commit of the repository that is on no line."""
    from orchestrator.diff.git import find_git

    git = find_git(product)
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    return git.run(*identity, "commit-tree", "-m", "x", tree).stdout.decode().strip()


def test_until_ends_the_history_and_a_day_before_all_of_it_is_an_error(product: Path) -> None:
    require("lightgbm")
    found = learn(product, PROFILE, "main", datetime.fromtimestamp(START + 30 * DAY, UTC))
    assert (found.commits, found.model.time) == (31, START + 30 * DAY)
    assert found.model.ranker is None
    assert "too few" in found.warnings[0]
    with pytest.raises(UsageError, match="no commit is as old"):
        learn(product, PROFILE, "main", datetime(2001, 1, 1, tzinfo=UTC))


def test_where_unit_tests_could_not_be_learned_those_of_the_packages_that_change_are_likely(model: Model) -> None:
    assert model.ranker is not None
    ranker = replace(model.ranker, packages=replace(model.ranker.packages, trees=()))
    question = question_of(PROFILE, make_facts(["pkg/cursor/cursor.go"], {}), model.time, model.code)
    packages = look(ranker, model.past, model.book, question).packages
    assert len(packages) > 1
    assert {name for name, chance in packages.items() if chance == 1.0} == {"pkg/cursor"}
    assert {chance for name, chance in packages.items() if name != "pkg/cursor"} == {0.0}
