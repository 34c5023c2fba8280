"""Hosts, figures and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator.api.rest.asking import AdminDep, CallerDep, Limit, ServiceDep
from orchestrator.service import views

router = APIRouter(tags=["fleet"])


@router.get("/hosts")
def hosts(service: ServiceDep, _caller: CallerDep) -> views.Fleet:
    """Queues with their length and age, and the workers that serve them."""
    return service.reads.fleet()


@router.get("/stats")
def stats(service: ServiceDep, _caller: CallerDep) -> views.Stats:
    """The last runs in figures."""
    return service.reads.stats()


@router.get("/audit")
def audit(
    service: ServiceDep,
    _caller: AdminDep,
    limit: Limit = 50,
    target: Annotated[str | None, Query(min_length=1, max_length=200, description="About this run.")] = None,
) -> list[views.AuditView]:
    """Who did, or was refused, what; for administrators."""
    return service.reads.audit(limit, target)
