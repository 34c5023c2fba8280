"""Plans as JSON, both ways, and parts of plans: what runs, ledger and command line use of a plan that is made."""

from __future__ import annotations

from orchestrator.planner.decode import loads, plan_from_json
from orchestrator.planner.encode import dumps, plan_id, plan_to_json
from orchestrator.planner.subset import subset

__all__ = ["dumps", "loads", "plan_from_json", "plan_id", "plan_to_json", "subset"]
