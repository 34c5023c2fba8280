"""Takes `docs/wecom.png`: the chat of `mo-testplan dev wecom --demo` after a run that failed.

python docs/chat_picture.py          (Chromium and ChromeDriver; fonts-wqy-microhei or another font with Chinese)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium  # noqa: E402 - after the path is set


def main() -> None:
    """Play it and take the picture."""
    words = [sys.executable, "-m", "orchestrator", "dev", "wecom", "--demo"]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None  # noqa: S101 - opened with a pipe
        url = process.stderr.readline().split()[3]
        while "ready" not in process.stderr.readline():
            pass
        try:
            _take(url)
        finally:
            process.terminate()


def _take(url: str) -> None:
    with chromium() as browser:
        browser.set_window_size(1120, 1180)
        browser.get(f"{url}/?as=dev")

        def until(holds: Callable[[str], object], seconds: float = 120) -> None:
            deadline = time.monotonic() + seconds
            while not holds(browser.find_element("id", "list").text) and time.monotonic() < deadline:
                time.sleep(0.2)

        def write(text: str) -> None:
            field = browser.find_element("id", "text")
            field.send_keys(text)
            field.submit()

        until(lambda _: browser.find_element("id", "title").text)
        write("run 1")
        until(lambda text: "re-run" in text)
        write("状态 1")
        until(lambda text: "Re-run failed" in text)
        browser.save_screenshot(str(ROOT / "docs" / "wecom.png"))


if __name__ == "__main__":
    main()
