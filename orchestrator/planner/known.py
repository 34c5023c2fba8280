"""What this host knows beside the change: a history model and measured seconds; the same for every caller."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.garbage import without_collection
from orchestrator.planner.evidence import Tree
from orchestrator.settings import Settings, failures_path, model_path

if TYPE_CHECKING:
    from orchestrator.planner.budget import Budget
    from orchestrator.planner.failures import Spoken
    from orchestrator.planner.learned import Advice
    from orchestrator.planner.measured import Measured


class Known(NamedTuple):
    """What a plan is made with beside change and tree."""

    #: Used when nobody names any.
    strategies: tuple[str, ...]
    measured: Measured | None
    advice: Advice | None


def known(  # noqa: PLR0913 - where each piece of knowledge comes from
    change: DiffSummary,
    profile: Profile,
    settings: Settings,
    *,
    repository: str | None = None,
    model: str = "",
    durations: str = "",
    failures: str = "",
    budget: Budget | None = None,
) -> Known:
    """The seconds, failures and model in the files that are named, or in those of this host where there are any.

    ``model`` may be ``none``. A file of seconds or failures that is named and cannot be read is a :class:`UsageError`.
    """
    from orchestrator.planner.measured import read_durations
    from orchestrator.planner.strategies import DEFAULT, WITH_MODEL

    seconds = Path(durations or settings.durations)
    measured = read_durations(seconds, profile.name) if durations or seconds.is_file() else None
    advice = advice_for(model, settings, profile, change, repository)
    failed = _failed(change, profile, settings, failures)
    if budget is not None or failed:
        from orchestrator.planner.learned import Advice

        advice = (advice or Advice(None))._replace(budget=budget, failed=failed)
    strategies = WITH_MODEL if advice is not None and advice.outlook else DEFAULT
    return Known((*strategies, *(("failures",) if failed else ())), measured, advice)


def _failed(change: DiffSummary, profile: Profile, settings: Settings, named: str) -> dict[str, Spoken]:
    """What the failures in a file say of a change: the one that is named, or that `control` writes here."""
    path = Path(named) if named else failures_path(settings)
    if not named and not path.is_file():
        return {}
    from orchestrator.planner.failures import read_failures, speak

    return speak(change, read_failures(path, profile.name))


def advice_for(
    named: str | None, settings: Settings, profile: Profile, change: DiffSummary, repository: str | None
) -> Advice | None:
    """What a history model says of a change; ``named`` is a file or ``none``, by default the one `learn` made."""
    named = named or settings.model
    path = Path(named) if named else model_path(profile.name, settings)
    if named == "none" or (not named and not path.exists()):
        return None
    from orchestrator.planner.learned import advise

    return advise(change, profile, path, repository)


@without_collection()
def plan_here(  # noqa: PLR0913 - the inputs of a plan
    change: DiffSummary,
    profile: Profile,
    settings: Settings | None,
    tree: Tree | None = None,
    asked: Sequence[str] = (),
    budget: Budget | None = None,
) -> TestPlan:
    """The plan of a change with all that this host knows; without ``settings`` it knows nothing."""
    from orchestrator.planner.learned import Advice
    from orchestrator.planner.pipeline import build_plan

    if settings is None:
        return build_plan(change, profile, tree=tree, asked=asked, advice=Advice(None, "", budget))
    found = known(change, profile, settings, repository=profile.repository, budget=budget)
    return build_plan(
        change,
        profile,
        strategies=found.strategies,
        tree=tree,
        asked=asked,
        measured=found.measured,
        advice=found.advice,
    )
