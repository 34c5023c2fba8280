"""Who may do what: ``people.yaml``. Nobody may do anything that it does not say.

people:
  - {userid: zhangsan, github: zhang3, emails: [zhang3@example.com], role: developer, projects: [matrixone]}
chats:
  - {id: wrXXXX, name: kernel, everyone: viewer, projects: [matrixone]}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.commands.model import Incoming
from orchestrator.domain.errors import BadProfileError
from orchestrator.domain.plain import from_plain
from orchestrator.domain.profile import RoleName
from orchestrator.service.caller import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person, by the id the chat gives him."""

    userid: str
    #: Login at GitHub, as in the addresses ``ID+LOGIN@users.noreply.github.com`` of commits.
    github: str | None = None
    #: Addresses he commits with.
    emails: tuple[str, ...] = ()
    #: Ids that AI bots of other creators know him by, when they cannot be resolved.
    open_userids: tuple[str, ...] = ()
    role: RoleName = "viewer"
    #: Profiles he may see and steer; empty: all.
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group in which commands are heard."""

    id: str
    name: str = ""
    #: The role of everybody in it.
    everyone: RoleName | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All of ``people.yaml``."""

    people: tuple[Person, ...] = ()
    chats: tuple[Group, ...] = ()

    def person(self, user: str) -> Person | None:
        """The person of a chat's id. WeCom's ids do not depend on case."""
        wanted = user.casefold()
        return next((p for p in self.people if wanted == p.userid.casefold() or user in p.open_userids), None)

    def chat(self, group: str) -> Group | None:
        """A group that is listed."""
        return next((chat for chat in self.chats if chat.id == group), None)

    def role(self, incoming: Incoming, project: str) -> Role:
        """The role of who speaks, for a project: his own or his group's, and none at all in a group not listed."""
        found = [Role.NONE]
        person, chat = self.person(incoming.user), self.chat(incoming.group)
        if incoming.group and chat is None:
            return Role.NONE
        if person is not None and _covers(person.projects, project):
            found.append(Role[person.role.upper()])
        if chat is not None and not _covers(chat.projects, project):
            return Role.NONE
        if chat is not None and chat.everyone:
            found.append(Role[chat.everyone.upper()])
        return max(found)

    def with_role(self, role: Role, project: str) -> Iterator[str]:
        """Ids of those who have ``role`` or more."""
        for person in self.people:
            if Role[person.role.upper()] >= role and _covers(person.projects, project):
                yield person.userid

    def by_email(self, email: str) -> Person | None:
        """The person who commits with this address."""
        low = email.casefold()
        login = low.removesuffix("@users.noreply.github.com").rpartition("+")[2] if low.endswith("github.com") else None
        for person in self.people:
            if low in map(str.casefold, person.emails):
                return person
            if login and person.github and person.github.casefold() == login:
                return person
        return None


def _covers(projects: tuple[str, ...], project: str) -> bool:
    return not projects or project in projects


def people_from(data: object, where: str) -> People:
    """The contents of ``people.yaml``; :class:`BadProfileError` names what is wrong."""
    found = from_plain(People, data if data is not None else {}, where, BadProfileError)
    seen: set[str] = set()
    for person in found.people:
        if person.userid.casefold() in seen:
            raise BadProfileError(f"{where}: {person.userid!r} stands there twice", "Take one of them out.")
        seen.add(person.userid.casefold())
    return found
