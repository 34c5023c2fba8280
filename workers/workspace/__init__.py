"""The tree under test on this host: checked out once a run and commit, shared by the run's shards, pruned later.

``root/mirrors/<key>/`` is a private git directory whose objects are the source's (``objects/info/alternates``): nothing
is copied, and the source's configuration, hooks and filters are never read. ``root/runs/<run>@<commit>/tree`` is a
checkout without ``.git``; ``root/locks/`` holds a lock a checkout: shared while somebody uses it, exclusive to make or
remove it. Locks are ``flock``: they go with the process that holds them.
"""

from __future__ import annotations

from workers.workspace.store import Workspace, Workspaces

__all__ = ["Workspace", "Workspaces"]
