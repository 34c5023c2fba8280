"""Ends a statement that has run too long, or whose run is cancelled: first on the server, then its connection."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from orchestrator.domain.errors import ServerError
from workers.bvt.dsn import Dsn
from workers.bvt.wire import ConnectionLostError, ServerFaultError, Wire

#: How often deadlines are looked at; a cancel wakes at once.
_TICK = 0.05
#: How long a killed statement may take to say so before its connection is cut.
_GRACE = 0.15
#: How long a server may take to let us in, where it did not do so at once.
_PATIENCE = 3.0
#: How long a server may take to answer a KILL.
_ANSWER = 5.0


class Watch:
    """Watches the one statement a runner has under way."""

    def __init__(self, dsn: Dsn, stop: threading.Event) -> None:
        self._dsn = dsn
        #: Set from anywhere: the run is cancelled.
        self.stop = stop
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._deadline = 0.0
        self._idle = threading.Event()
        #: Whether the last statement was ended by us.
        self.fired = False
        self._thread = threading.Thread(target=self._run, name="statement-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, wire: Wire, deadline: float) -> None:
        """A statement starts on ``wire``; it may take until ``deadline`` on the monotonic clock."""
        with self._lock:
            self._idle.clear()
            self.fired = False
            self._wire, self._deadline = wire, deadline

    def end(self) -> None:
        """The statement has ended, one way or the other."""
        self._idle.set()
        with self._lock:
            self._wire = None

    def _run(self) -> None:
        while not self._over.is_set():
            if self.stop.wait(_TICK):
                self._over.wait(0.005)
            with self._lock:
                due = self._wire is not None and (self.stop.is_set() or time.monotonic() >= self._deadline)
                if due and not self.fired and self._wire is not None:
                    self.fired = True
                    self._kill(self._wire)

    def _kill(self, wire: Wire) -> None:
        heard = self._ask(wire, _GRACE)
        if not self._idle.is_set():
            wire.abort()
        if not heard:  # a busy server lets nobody in so fast, and goes on with a statement whose client has left
            self._ask(wire, _PATIENCE)

    def _ask(self, wire: Wire, patience: float) -> bool:
        """Have the server end the statement of ``wire``; whether it was told so."""
        try:
            control = Wire(self._dsn, connect_timeout=patience)
            control.query(f"KILL QUERY {wire.thread_id}", timeout=_ANSWER)
            if not self._idle.wait(_GRACE):
                control.query(f"KILL {wire.thread_id}", timeout=_ANSWER)
            control.close()
        except (ServerError, ConnectionLostError):
            return False
        except ServerFaultError:
            pass  # it is gone
        return True
