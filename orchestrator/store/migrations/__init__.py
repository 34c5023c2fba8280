"""Alembic's scripts: the layout of the history, one file in ``versions`` a change.

A change of ``models.py`` needs a revision here and :data:`HEAD` to name it; a test compares the two. Two branches that
both add one are put in a row by the second to be merged: ``down_revision`` of its script names the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

#: The newest revision: what a database must be at. Written down, so that opening one does not import Alembic.
HEAD = "0003"
#: The table in which Alembic keeps the revision of a database.
VERSION_TABLE = "mo_testplan_version"


def config(connection: Connection) -> Config:
    """Alembic's configuration for an open connection, inside the caller's transaction."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def knows(revision: str) -> bool:
    """Whether this program has the script of ``revision``."""
    return any((Path(__file__).parent / "versions").glob(f"r{revision}_*.py"))


def upgrade(connection: Connection, *, adopt: str | None = None) -> None:
    """Bring a database to :data:`HEAD`; ``adopt`` is the revision of one laid out before there were revisions."""
    from alembic import command

    if adopt is not None:
        command.stamp(config(connection), adopt)
    command.upgrade(config(connection), "head")
