"""SQL servers to run cases on, behind one interface."""

from __future__ import annotations

from workers.servers.base import ServerProvider, Startup, make_server

__all__ = ["ServerProvider", "Startup", "make_server"]
