"""SQL servers to run cases on, behind one interface."""

from __future__ import annotations

from workers.servers.base import Launch, ServerProvider, Startup, make_server

__all__ = ["Launch", "ServerProvider", "Startup", "make_server"]
