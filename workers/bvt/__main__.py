"""``python -m workers.bvt``: the program a BVT suite supervises."""

from __future__ import annotations

import sys

from workers.bvt.cli import main

sys.exit(main())
