"""``mo-testplan cases propose FOLDER --pr N``: open a pull request at GitHub with the cases in a folder."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from orchestrator.cli import edge
from orchestrator.cli.plan import DEFAULT_PROFILE
from orchestrator.cli.services import make_github
from orchestrator.domain.errors import EXIT_PASSED, UsageError
from orchestrator.domain.options import positive
from orchestrator.notify.github.propose import case_files, propose
from orchestrator.settings import check_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="as `cases generate -o FOLDER` writes it")
    parser.add_argument("--pr", metavar="N", type=positive, required=True, help="the pull request they are for")
    parser.add_argument("--profile", metavar="P", default=DEFAULT_PROFILE, help="name or file of a profile")
    parser.add_argument("--branch", metavar="NAME", default="", help="default: mo-testplan/cases-N")
    parser.add_argument("--dry-run", action="store_true", help="only say which files it would have")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the new pull request's address."""
    profile = check_profile(args.profile, edge.settings())
    files = case_files(args.folder, profile.bvt.cases)
    if args.dry_run:
        edge.print_json(sorted(files)) if args.format == "json" else print("\n".join(sorted(files)))  # noqa: T201
        return EXIT_PASSED
    github = make_github(profile, os.environ)
    if github is None:
        raise UsageError(
            f"profile {profile.name!r} names no repository at GitHub, or there are no credentials for it",
            f"Set github.repository in the profile and {profile.github.token_env} in the environment.",
        )
    made = propose(github, args.pr, files, args.branch)
    edge.print_json(made) if args.format == "json" else print(made.url)  # noqa: T201 - the answer
    return EXIT_PASSED
