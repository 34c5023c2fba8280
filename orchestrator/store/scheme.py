"""The layout of a database: made when it is empty, brought up to date when older, refused when newer."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from orchestrator.domain.errors import InfrastructureError
from orchestrator.store import migrations
from orchestrator.store.database import Database
from orchestrator.store.models import Base

#: Two programs that meet an old or empty PostgreSQL database lay it out one after the other.
_LAYOUT_LOCK = 0x6D6F_7470_0001
#: The mark of databases from before there were revisions; they are at revision 0001.
_FIRST, _FIRST_REVISION = "mo_testplan_scheme", "0001"


def ensure(database: Database) -> None:
    """Lay out an empty database, migrate an older one; :class:`InfrastructureError` for one of no use to us."""
    with database.reading() as session:
        if _revision(session, database.where) == migrations.HEAD:
            return
    with database.writing(alone=_LAYOUT_LOCK) as session:
        revision = _revision(session, database.where)
        if revision != migrations.HEAD:
            first = revision == _FIRST
            migrations.upgrade(session.connection(), adopt=_FIRST_REVISION if first else None)


def check_writable(database: Database) -> None:
    """:class:`InfrastructureError` for a database that can be read and not written; nothing of it changes."""
    with database.writing() as session:
        session.execute(text(f"DELETE FROM {migrations.VERSION_TABLE} WHERE 1 = 0"))  # noqa: S608 - our own name


def _revision(session: Session, where: str) -> str | None:
    """The revision a database is at, None when it is empty; raises when it is a foreign or a newer one."""
    present = set(inspect(session.connection()).get_table_names())
    if migrations.VERSION_TABLE not in present:
        if _FIRST in present:
            return _FIRST
        foreign = present & set(Base.metadata.tables)
        if foreign:
            raise InfrastructureError(
                f"the database {where} holds tables of another program ({', '.join(sorted(foreign))})",
                "Give mo-testplan a database of its own in MO_TESTPLAN_STORE_URL.",
            )
        return None
    found = session.scalar(text(f"SELECT version_num FROM {migrations.VERSION_TABLE}"))  # noqa: S608 - our own name
    revision = None if found is None else str(found)
    if revision is not None and not migrations.knows(revision):
        raise InfrastructureError(
            f"the store {where} is at revision {revision}; this program knows revisions up to {migrations.HEAD}",
            "Upgrade mo-testplan on this host, or point MO_TESTPLAN_STORE_URL at another store.",
        )
    return revision
