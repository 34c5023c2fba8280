"""The change of a pull request that is named by its number alone: by GitHub's API, or from the clone."""

from __future__ import annotations

import argparse
import dataclasses
import os

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import UsageError
from orchestrator.domain.profile import Profile
from orchestrator.planner.evidence import Tree
from orchestrator.settings import Settings


def pull_change(args: argparse.Namespace, settings: Settings, profile: Profile) -> tuple[DiffSummary, Tree | None]:
    """The change of ``--pr N``, and the tree at its head where the clone has it."""
    from orchestrator.cli.services import make_github
    from orchestrator.notify.github.pulls import read_change
    from orchestrator.service.change import read_here
    from orchestrator.service.pulls import read_pull

    if args.pr < 1:
        raise UsageError(f"--pr {args.pr} is no number of a pull request", "Numbers start at 1.")
    profile = dataclasses.replace(profile, repository=args.repo or settings.repo or profile.repository)
    github = make_github(profile, os.environ)
    if github is not None:
        return read_here(profile, read_change(github, args.pr))
    if not profile.repository:
        said = profile.github
        raise UsageError(
            f"pull request {args.pr} can be read from nowhere",
            f"Set github.repository in the profile and {said.token_env} in the environment, or name a clone: --repo.",
        )
    return read_pull(profile, args.pr)
