"""May this person do that? No, unless his role, his group's, or his own pull request says so."""

from __future__ import annotations

from orchestrator.commands.grammar import Command
from orchestrator.commands.model import Incoming
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.domain.errors import MoTestplanError
from orchestrator.service.caller import Role
from orchestrator.service.pulls import author_email, pull_author


def refusal(office: Office, incoming: Incoming, command: Command) -> str:
    """Why not, in words that say what is missing and who has it; empty when it is allowed."""
    people, project, verb = office.people(), office.profile.name, command.verb
    role = people.role(incoming, project)
    if role >= verb.role or (verb.own and role >= Role.VIEWER and owns(office, incoming, command)):
        return ""
    if incoming.group and people.chat(incoming.group) is None:
        return office.say("group", neutral(incoming.group, 100))
    if role is Role.NONE:
        return office.say("outsider", neutral(incoming.user, 100), _names(office, Role.ADMIN))
    also = office.say("or_own") if verb.own else ""
    return office.say("refused", verb.name, verb.role.label, also, role.label, _names(office, verb.role))


def _names(office: Office, role: Role) -> str:
    names = list(office.people().with_role(role, office.profile.name))
    return ", ".join(names[:5]) or office.say("nobody")


def owns(office: Office, incoming: Incoming, command: Command) -> bool:
    """Whether the command concerns the asker's own pull request, or a run he started.

    The author is who wrote the head commit. Somebody who signs his commits with another's address gives rights away,
    and gains none.
    """
    try:
        if command.verb.name == "run":
            return _is(office, incoming, pull_author(office.profile, int(command.arg(0))))
        summary, plan = office.runs.find(command.arg(0))
        if office.runs.started_by(summary.run) == incoming.who:
            return True
        commit = plan.diff_summary.head_commit
        return bool(summary.pr_number and commit) and _is(office, incoming, author_email(office.profile, str(commit)))
    except MoTestplanError:
        return False


def _is(office: Office, incoming: Incoming, email: str) -> bool:
    author = office.people().by_email(email) if email else None
    return author is not None and author is office.people().person(incoming.user)
