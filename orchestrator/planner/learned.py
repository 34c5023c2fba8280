"""What a history model says of a change, or why it is not asked: a model must never be able to switch planning off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.domain.errors import MoTestplanError, WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.domain.change import DiffSummary
    from orchestrator.domain.profile import Profile
    from orchestrator.history.model import Model
    from orchestrator.history.outlook import Outlook
    from orchestrator.planner.budget import Budget
    from orchestrator.planner.failures import Spoken

_DAY = 86_400
#: A change of more files than this moves or reformats them; what history says of it means nothing.
_MASS = 400


class Advice(NamedTuple):
    """The outlook of a change, or None and what to tell the reader; past failures; and the budget to plan with."""

    outlook: Outlook | None
    note: str = ""
    budget: Budget | None = None
    #: What past failures say of tests, by their id.
    failed: Mapping[str, Spoken] = MappingProxyType({})
    #: What this host keeps and the plan does without: of each file why.
    damaged: tuple[str, ...] = ()


def advise(change: DiffSummary, profile: Profile, path: Path, repository: str | None = None) -> Advice:
    """Ask the model in a file, if it is fit to be asked; no fault of it is an error.

    With a repository, the cases are those of the change's head, whatever came, went or moved since the model was made.
    """
    from orchestrator.history.model import load_model

    try:
        model = load_model(path)
        if repository is not None and change.head_commit is not None:
            _catch_up(model, profile, _path(repository), change.head_commit)
        return advise_by(change, profile, model, repository)
    except MoTestplanError as error:
        return _not_asked(error.message)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return _not_asked(f"the model {path} is damaged: {type(error).__name__}: {error}")


def advise_by(change: DiffSummary, profile: Profile, model: Model, repository: str | None = None) -> Advice:
    """Ask a model that is at hand.

    Raises:
        BadModelError: it is of another profile, or of another repository than the one at hand.
    """
    from orchestrator.diff.git import find_git
    from orchestrator.history.facts import facts_of
    from orchestrator.history.layout import layout_of
    from orchestrator.history.learn import check_origin
    from orchestrator.history.outlook import look
    from orchestrator.history.study import question_of

    check_origin(model, profile, find_git(_path(repository)) if repository else None)
    if model.ranker is None:
        return _not_asked("it saw too few commits that touched tests")
    now = _time(change) or model.time
    age = (now - model.time) / _DAY
    if age > profile.model_days:
        return _not_asked(f"it ends {age:.0f} days before this change, and {profile.model_days} are allowed")
    if len(change.files) > _MASS:
        return _not_asked(f"{len(change.files)} files change at once, more than {_MASS}")
    facts = facts_of(change, layout_of(profile).is_production)
    return Advice(look(model.ranker, model.past, model.book, question_of(profile, facts, now, model.code)))


def _catch_up(model: Model, profile: Profile, repository: Path, commit: str) -> None:
    """Make the cases of a model those of a commit's tree; a clone that lacks a tree leaves them as they are."""
    from orchestrator.diff.git import Objects, find_git, isolated
    from orchestrator.history.commits import read_difference
    from orchestrator.history.layout import layout_of

    layout = layout_of(profile)
    with isolated(find_git(repository), commit) as git, Objects(git) as objects:
        try:
            entries = read_difference(git, model.head, commit, layout.cases)
        except WorkspaceError:
            return
        model.book.apply(entries, layout, model.time, objects.read)


def _not_asked(why: str) -> Advice:
    return Advice(None, f"The history model is not asked: {why}. Rules alone decide.")


def _path(name: str) -> Path:
    from pathlib import Path

    return Path(name)


def _time(change: DiffSummary) -> int | None:
    if change.head_time is None:
        return None
    return int(datetime.fromisoformat(change.head_time).timestamp())
