"""A desk over a real ledger, a real store and a small clone with two pull requests."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.commands.desk import Desk
from orchestrator.commands.model import Incoming
from orchestrator.commands.office import Office
from orchestrator.commands.people import Group, People, Person
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.profile import Profile, Rule, WeCom
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import make_app
from orchestrator.store import Store

PEOPLE = People(
    people=(
        Person(userid="vera", role="viewer"),
        Person(userid="dev", role="developer"),
        Person(userid="author", role="viewer", github="Author"),
        Person(userid="main", role="maintainer"),
        Person(userid="root", role="admin"),
        Person(userid="stranger", role="admin", projects=("other",)),
    ),
    chats=(Group(id="team", everyone="viewer"), Group(id="others", everyone="admin", projects=("other",))),
)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")

    def git(*words: str, email: str = "t@example.com") -> None:
        who = ["-c", "user.name=t", "-c", f"user.email={email}"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    def change(text: str, email: str) -> None:
        (folder / "a.go").write_text(text)
        git("add", "-A")
        git("commit", "-qm", "c", email=email)

    git("init", "-qb", "main")
    (folder / "go.mod").write_text("module example.com/a\n")
    for name in "xy":
        (folder / name).mkdir()
        (folder / name / "it_test.go").write_text(f"package {name}\n")
    change("package a\n\nfunc A() {}\n", "t@example.com")
    git("checkout", "-qb", "seven")
    change("package a\n\nfunc A() { B() }\n", "123+author@users.noreply.github.com")
    git("update-ref", "refs/pull/7/head", "HEAD")
    git("checkout", "-q", "main")
    (folder / "README.md").write_text("words\n")
    git("add", "-A")
    git("commit", "-qm", "d")
    git("update-ref", "refs/pull/8/head", "HEAD")
    git("reset", "-q", "--hard", "HEAD~1")
    return folder


@pytest.fixture
def office(valkey_url: str, clone: Path, tmp_path: Path) -> Iterator[Office]:
    profile = Profile(
        name=f"p-{uuid.uuid4().hex[:8]}",
        repository=str(clone),
        rules=(Rule(prefix="a.go", unit_tests=("x", "y")),),
        wecom=WeCom(language="en"),
    )
    ledger, shelf = Ledger(valkey_url), Shelf(valkey_url)
    ledger.redis.flushall()
    with Store(f"sqlite:///{tmp_path}/history.sqlite") as store:
        yield Office(profile, ledger, store, make_app(valkey_url), shelf, lambda: PEOPLE)
    ledger.close()
    shelf.close()


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def said(user: str, text: str, group: str = "") -> Incoming:
    return Incoming("bot", uuid.uuid4().hex, user, group, text)


def clicked(user: str, ticket: str, group: str = "") -> Incoming:
    return Incoming("bot", uuid.uuid4().hex, user, group, ticket=ticket)
