"""A project whose tests are a shell script: cheap to start, and known to end in one way only.

Every package directory holds a file ``does``: what its test does, for how many seconds, in how many cases. The script
stands in for ``go test -json``; all around it (profile, worktree, worker, supervisor, sandbox, parser) is real.
"""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Cost, Priority, Reason, Shard, Suite, TestPlan, TestTask
from orchestrator.planner.encode import plan_id

NAME = "rig"

SCRIPT = r"""#!/bin/sh
# As `go test -json ./package` would: events on standard output, the exit status last.
package=${1#./}
read -r kind seconds cases <"$package/does"
say() { printf '{"Action":"%s","Package":"rig/%s"%s}\n' "$1" "$package" "$2"; }
test_of() { printf ',"Test":"Test%s"' "$1"; }
case $kind in
forks) setsid sleep 600 >/dev/null 2>&1 &
       sleep 600 & ;;
stubborn) trap '' TERM INT HUP
       (trap '' TERM; sleep 600; sleep 600) & ;;
flaky) if mkdir "$package/tried" 2>/dev/null; then kind=fails; fi ;;
noisy) i=0; while [ $i -lt 2000 ]; do echo "line $i of a flood"; i=$((i + 1)); done ;;
esac
say start ''
n=1
while [ $n -lt "$cases" ]; do say run "$(test_of $n)"; say pass "$(test_of $n)"; n=$((n + 1)); done
say run "$(test_of $n)"
[ "$seconds" = 0 ] || sleep "$seconds"
end=pass
[ "$kind" = fails ] && end=fail
say $end "$(test_of $n)"
say $end ''
[ $end = pass ]
"""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one package's test does."""

    #: ``passes``, ``fails``, ``flaky`` (of all executions in one checkout exactly the first fails), ``forks`` (leaves a
    #: daemon and a child behind), ``stubborn`` (its tree ignores TERM) or ``noisy``; all but ``fails`` pass.
    kind: str
    seconds: float = 0.0
    cases: int = 1


@dataclass(frozen=True, slots=True)
class Project:
    """A git repository of such packages, and the profile that runs them."""

    root: Path
    commit: str
    packages: Mapping[str, Behaviour]

    @property
    def repo(self) -> Path:
        """The clone."""
        return self.root / "repo"

    @property
    def config(self) -> Path:
        """The directory of the profile."""
        return self.root / "config"

    def plan(self, shards: Sequence[Sequence[str]], pull: int | None = None) -> TestPlan:
        """A plan that runs these packages, one shard a row."""
        tasks, made = [], []
        for number, names in enumerate(shards):
            shard = f"ut-{number:04}"
            seconds = sum(self.packages[name].seconds for name in names) + 0.1
            made.append(Shard(shard, Suite.UNIT_TEST, "ut", tuple(f"ut:{name}" for name in names), seconds))
            tasks += [_task(name, shard) for name in names]
        total = sum(shard.est_duration for shard in made)
        cost = Cost(total, total, 4, (("unit_test", total),))
        change = DiffSummary((), pr_number=pull, head_commit=self.commit)
        plan = TestPlan("", None, "a rig's plan", NAME, change, tuple(tasks), tuple(made), (), cost)
        return dataclasses.replace(plan, id=plan_id(plan))


def _task(name: str, shard: str) -> TestTask:
    reason = (Reason("asked", 1.0, "asked for"),)
    return TestTask(f"ut:{name}", Suite.UNIT_TEST, Priority.MEDIUM, reason, package=name, est_duration=0.1, shard=shard)


def make_project(root: Path, packages: Mapping[str, Behaviour], *, dispatch: str, more: str = "") -> Project:
    """Write repository and profile below ``root``; ``dispatch`` is the profile's key of that name, as YAML."""
    repo, config = root / "repo", root / "config"
    repo.mkdir(parents=True)
    config.mkdir()
    text = f"name: {NAME}\nunit_tests: {{command: [sh, run.sh], timeout: 120}}\ndispatch: {dispatch}\n{more}"
    (config / f"{NAME}.yaml").write_text(text)
    (repo / "run.sh").write_text(SCRIPT)
    for name, does in packages.items():
        (repo / name).mkdir()
        (repo / name / "does").write_text(f"{does.kind} {does.seconds:g} {does.cases}\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "tests")):
        _git(repo, *words)
    return Project(root, _git(repo, "rev-parse", "HEAD"), dict(packages))


def _git(repo: Path, *words: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=rig", "-c", "user.email=rig@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=repo, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def mixed(rng: random.Random, count: int) -> dict[str, Behaviour]:
    """``count`` packages of every kind; most pass at once."""
    kinds = ["passes"] * 66 + ["fails"] * 12 + ["flaky"] * 6 + ["forks"] * 6 + ["stubborn"] * 6 + ["noisy"] * 4
    made = {}
    for number in range(count):
        seconds = round(rng.choice([0.0, 0.0, 0.0, 0.02, 0.1, 0.3, 1.0]), 2)
        made[f"p{number:03}"] = Behaviour(rng.choice(kinds), seconds, rng.randint(1, 4))
    return made
