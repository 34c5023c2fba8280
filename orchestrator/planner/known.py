"""What this host knows beside the change: a history model and measured seconds; the same for every caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import UsageError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.profile import Profile
from orchestrator.garbage import without_collection
from orchestrator.planner.evidence import Tree
from orchestrator.settings import Settings, failures_path, model_path

if TYPE_CHECKING:
    from orchestrator.planner.budget import Budget
    from orchestrator.planner.learned import Advice
    from orchestrator.planner.measured import Measured

_Read = TypeVar("_Read")


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

    ``model`` may be ``none``. A file of seconds or failures that is named and cannot be read is a :class:`UsageError`;
    one of this host is done without, and said.
    """
    from orchestrator.planner.failures import read_failures, speak
    from orchestrator.planner.measured import read_durations
    from orchestrator.planner.strategies import DEFAULT, WITH_MODEL

    measured, unread = _read(read_durations, durations, Path(settings.durations), profile)
    past, unread_too = _read(read_failures, failures, failures_path(settings), profile)
    failed = speak(change, past or ())
    damaged = tuple(filter(None, (unread, unread_too)))
    advice = advice_for(model, settings, profile, change, repository)
    if budget is not None or failed or damaged:
        from orchestrator.planner.learned import Advice

        advice = (advice or Advice(None))._replace(budget=budget, failed=failed, damaged=damaged)
    strategies = WITH_MODEL if advice is not None and advice.outlook else DEFAULT
    return Known((*strategies, *(("failures",) if failed else ())), measured, advice)


def _read(
    read: Callable[[Path, str], _Read], named: str, usual: Path, profile: Profile
) -> tuple[_Read | None, str | None]:
    """What is in the file that is named, or in the ``usual`` one of this host, or why that one cannot be used.

    What `control` wrote must never be able to switch planning off.
    """
    if named:
        return read(Path(named), profile.name), None
    try:
        return (read(usual, profile.name), None) if usual.exists() else (None, None)
    except UsageError as error:
        why = error.message
    except OSError as error:
        why = f"cannot look for {usual}: {error.strerror}"
    return None, f"{why}. It is done without until `control` writes it anew."


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
