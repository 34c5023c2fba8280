"""The control plane of mo-testplan: a diff becomes a plan, a plan becomes a run, a run becomes one verdict."""

__version__ = "0.1.0"
