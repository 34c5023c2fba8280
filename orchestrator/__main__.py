"""``python -m orchestrator`` is ``mo-testplan``."""

from orchestrator.cli.main import entry

entry()
