"""Who it is: an AI bot may know people by an opaque id only (documents 101521 and 100719)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

from orchestrator.commands.model import Incoming
from orchestrator.commands.people import People
from orchestrator.commands.shelf import Shelf
from orchestrator.domain.errors import MoTestplanError
from orchestrator.notify.base import RefusedError
from orchestrator.notify.wecom.app import App

#: Seconds an answer is believed: that there is such a member, and that there is none.
_KNOWN, _UNKNOWN = 24 * 3600, 600

logger = logging.getLogger(__name__)


class Identities:
    """Puts the plain id of a member in the place of an opaque one, where an application can find it out.

    An id that cannot be resolved stays as it is, and has the rights that ``open_userids`` of ``people.yaml`` give it.
    """

    def __init__(self, app: App | None, shelf: Shelf, people: Callable[[], People]) -> None:
        self._app, self._shelf, self._people = app, shelf, people

    def __call__(self, incoming: Incoming) -> Incoming:
        """``incoming`` with the person's own id."""
        if self._app is None or incoming.channel == "app" or self._people().person(incoming.user) is not None:
            return incoming
        try:
            found = self._resolved(self._app, incoming.user)
        except MoTestplanError as error:
            logger.warning("an id was not resolved: %s", error.message)
            return incoming
        return dataclasses.replace(incoming, user=found, opaque=incoming.user) if found else incoming

    def _resolved(self, app: App, opaque: str) -> str:
        kept = self._shelf.get(f"userid:{opaque}")
        if kept is not None:
            return str(kept["userid"])
        try:
            found = app.userid_of(opaque)
        except RefusedError:  # the application may not ask: known for ten minutes, too
            found = ""
        self._shelf.put(f"userid:{opaque}", {"userid": found}, _KNOWN if found else _UNKNOWN)
        if found:
            self._shelf.put(f"opaque:{found}", {"id": opaque}, 30 * _KNOWN)
        return found
