"""A GitHub on this machine that enforces the documented rules: authentication, versions, paging, limits, check runs."""

from orchestrator.notify.github.standin.server import GitHubStandIn

__all__ = ["GitHubStandIn"]
