"""Draws ``docs/run.svg``, the README's picture: what the demo shows of a run, as a terminal would.

python docs/picture.py
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
#: The section of the demo that is the run itself, up to the chat's message.
SECTION = re.compile(r"^(3\. Its run.*?)^4\. ", re.MULTILINE | re.DOTALL)
COLOURS = [(r"✗.*|FAILED", "red"), (r"█+", "green"), (r"░+", "bright_black")]


def main() -> None:
    """Run the demo and keep its picture."""
    words = [sys.executable, "-m", "orchestrator", "demo"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    found = SECTION.search(done.stdout)
    if found is None:
        sys.exit("the demo did not show a run: its section 3 is missing")
    text = Text(found[1].rstrip())
    for pattern, colour in COLOURS:
        text.highlight_regex(pattern, colour)
    console = Console(record=True, width=110, file=io.StringIO(), force_terminal=True)
    console.print(text)
    drawn = console.export_svg(title="mo-testplan demo")
    drawn = re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", drawn, flags=re.DOTALL)  # the reader's own fonts will do
    (HERE / "run.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    main()
