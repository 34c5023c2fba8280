"""GitHub's REST API, as far as we use it: requests, paging, and its troubles in our words.

docs.github.com/en/rest/using-the-rest-api (versions, pagination, rate limits, best practices).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from orchestrator import __version__
from orchestrator.domain.errors import BadProfileError, NotifyError, UnknownRunError
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.github.auth import Auth

API_VERSION = "2022-11-28"
PER_PAGE = 100
#: Pages of one list: GitHub gives 3,000 files of a pull request, and no more.
MAX_PAGES = 30
_REPOSITORY = re.compile(r"[0-9A-Za-z-]{1,39}/[0-9A-Za-z._-]{1,100}")

Json = Any


class GitHubClient:
    """One repository. Safe to use from several threads."""

    def __init__(
        self,
        repository: str,
        auth: Auth,
        base_url: str = "https://api.github.com",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise BadProfileError(f"github.repository: {repository!r} is no repository", "Write it as owner/name.")
        self.repository, self.auth = repository, auth
        self._clock, self._base = clock, base_url.rstrip("/")
        self._http = httpx.Client(timeout=30.0, follow_redirects=False)

    @cached_property
    def login(self) -> str:
        """The name under which we write."""
        return self.auth.login(self._ask)

    def get(self, path: str, **params: object) -> Json:
        """``GET /repos/OWNER/NAME/path``."""
        return _json(self._send("GET", self._path(path), self._header(), None, params))

    def write(self, method: str, path: str, body: object) -> Json:
        """Write something below ``/repos/OWNER/NAME/``; its JSON, None when there is none."""
        answer = self._send(method, self._path(path), self._header(), body, {})
        return _json(answer) if answer.content else None

    def pages(self, path: str, key: str | None = None, **params: object) -> Iterator[Json]:
        """Every entry of a list (below ``key`` where it is wrapped), page by page, as long as there is more."""
        url, query = self._path(path), {**params, "per_page": PER_PAGE}
        for _ in range(MAX_PAGES):
            answer = self._send("GET", url, self._header(), None, query)
            found = _json(answer)
            yield from found[key] if key else found
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            if urlsplit(following).netloc != urlsplit(self._base).netloc:
                raise NotifyError("GitHub's next page is on another host", "Correct github.base_url.")
            url, query = following, {}

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _path(self, path: str) -> str:
        return f"{self._base}/repos/{self.repository}/{path}".rstrip("/")

    def _header(self) -> str:
        return self.auth.header(self._ask)

    def _ask(self, method: str, path: str, authorization: str, body: object) -> Json:
        return _json(self._send(method, self._base + path, authorization, body, {}))

    def _send(self, method: str, url: str, authorization: str, body: object, params: dict[str, Any]) -> httpx.Response:
        headers = {
            "Authorization": authorization,
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": f"mo-testplan/{__version__}",
        }
        try:
            answer = self._http.request(method, url, headers=headers, json=body, params=params or None)
        except httpx.HTTPError as error:
            raise RetryLaterError(
                f"GitHub does not answer: {type(error).__name__}", "Is github.base_url right?"
            ) from None
        if answer.is_success:
            return answer
        raise self._trouble(answer, method, urlsplit(url).path)

    def _trouble(self, answer: httpx.Response, method: str, path: str) -> Exception:
        """The answer as an error: its words, never our credentials."""
        try:
            said = str(answer.json().get("message", ""))[:300]
        except (ValueError, AttributeError):
            said = ""
        what = f"GitHub answered {answer.status_code} to {method} {path}: {said}"
        wait = self._wait(answer, said)
        if wait is not None:
            return RetryLaterError(what, "It limits how fast one may ask.", after=wait)
        if answer.status_code >= 500:
            return RetryLaterError(what, "Its status page may say more.")
        if answer.status_code == 404:
            return UnknownRunError(what, "Is the number right, and may these credentials see the repository?")
        return RefusedError(what, "Check the token's or the App's permissions.")

    def _wait(self, answer: httpx.Response, said: str) -> float | None:
        """Seconds to wait where a limit was met (docs: rate limits for the REST API); else None.

        A secondary limit may come as 403 without a header that says so: a minute is right then.
        """
        if answer.status_code not in (403, 429):
            return None
        after = answer.headers.get("retry-after", "")
        if after.isdecimal():
            return min(float(after), 3600.0)
        if answer.headers.get("x-ratelimit-remaining") == "0":
            reset = answer.headers.get("x-ratelimit-reset", "")
            return min(max(1.0, float(reset) - self._clock()), 3600.0) if reset.isdecimal() else 60.0
        return 60.0 if answer.status_code == 429 or "rate limit" in said.casefold() else None


def _json(answer: httpx.Response) -> Json:
    try:
        return answer.json()
    except ValueError:  # a proxy's page with 200, say: what it is about is not lost
        raise RetryLaterError("what answered is not GitHub", "Check github.base_url and the proxy.") from None
