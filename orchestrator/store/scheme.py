"""The layout of a database: made when it is empty, refused when it is newer than this program."""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from orchestrator.domain.errors import InfrastructureError
from orchestrator.store.database import Database
from orchestrator.store.models import SCHEME, Base, SchemeRow

#: Two programs that meet an empty PostgreSQL database lay it out one after the other.
_LAYOUT_LOCK = 0x6D6F_7470_0001


def ensure(database: Database) -> None:
    """Lay out an empty database; raise :class:`InfrastructureError` for one this program cannot use."""
    with database.reading() as session:
        if _usable(session, database.where):
            return
    with database.writing(alone=_LAYOUT_LOCK) as session:
        if not _usable(session, database.where):
            Base.metadata.create_all(session.connection())
            session.add(SchemeRow(version=SCHEME))


def _usable(session: Session, where: str) -> bool:
    """Whether the layout is there; raises when it is a foreign or a newer one."""
    present = set(inspect(session.connection()).get_table_names())
    if SchemeRow.__tablename__ not in present:
        foreign = present & set(Base.metadata.tables)
        if foreign:
            raise InfrastructureError(
                f"the database {where} holds tables of another program ({', '.join(sorted(foreign))})",
                "Give mo-testplan a database of its own in MO_TESTPLAN_STORE_URL.",
            )
        return False
    version = session.scalars(select(SchemeRow.version)).one()
    if version > SCHEME:
        raise InfrastructureError(
            f"the store {where} has scheme {version}; this program knows schemes up to {SCHEME}",
            "Upgrade mo-testplan on this host, or point MO_TESTPLAN_STORE_URL at another store.",
        )
    return True
