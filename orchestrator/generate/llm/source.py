"""Asks a model for cases: within a budget and a deadline, repaired at most twice, remembered by content."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.domain.errors import UsageError
from orchestrator.generate.contribution import Contribution
from orchestrator.generate.evidence import query_of
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.llm.answer import LONGEST_ANSWER, contribution_of, read_answer
from orchestrator.surface.targets import changed_text

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam

_REPAIRS = 2
_LONGEST_DIFF, _LONGEST_CASE, _NEAREST = 20_000, 3_000, 3
_MOST_TOKENS = 8_000


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model, and how much of it. The key is never shown: not by ``repr``, in a log, or in an error."""

    url: str
    model: str
    key: str
    #: Seconds for all attempts together.
    seconds: float = 120.0
    #: Statements asked for.
    budget: int = 40
    #: Answers by what was asked; ``None`` keeps none.
    cache: Path | None = None

    def __repr__(self) -> str:
        return f"ModelSettings(url={self.url!r}, model={self.model!r})"


def model_from_environment(environment: Mapping[str, str] = os.environ) -> ModelSource:
    """The model that ``MO_TESTPLAN_LLM_URL``, ``_MODEL``, ``_KEY`` and ``_SECONDS`` name.

    Raises:
        UsageError: none is named, or a number cannot be read.
    """
    url = environment.get("MO_TESTPLAN_LLM_URL", "")
    if not url.startswith(("http://", "https://")):
        raise UsageError("no model to ask", "Set MO_TESTPLAN_LLM_URL to an OpenAI-compatible endpoint (…/v1).")
    try:
        seconds = float(environment.get("MO_TESTPLAN_LLM_SECONDS") or "120")
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError("MO_TESTPLAN_LLM_SECONDS is no number of seconds", "Give the seconds a model may take.")
    cache = environment.get("MO_TESTPLAN_LLM_CACHE")
    return ModelSource(
        ModelSettings(
            url,
            environment.get("MO_TESTPLAN_LLM_MODEL") or "default",
            environment.get("MO_TESTPLAN_LLM_KEY") or "none",
            seconds,
            cache=Path(cache) if cache else None,
        )
    )


class ModelSource:
    """A `Source` of cases. What goes wrong is said, never raised: the other cases do not depend on a model."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        #: Requests made, for reports and tests.
        self.asked = 0

    def write(self, inputs: Inputs, key: str) -> Contribution:
        """Cases for a change, the model's view of the kinds of test, and notes."""
        messages = self._messages(inputs)
        text, notes = self._remembered(messages), ["the model's answer was remembered"]
        if text is None:
            try:
                client = self._client()
            except ImportError:
                return Contribution(notes=["the model was not asked: install the extra `llm`"])
            text, notes = self._ask(client, messages)
            if text is None:
                return Contribution(notes=notes)
            self._remember(messages, text)
        return contribution_of(read_answer(text), key, _category(inputs), notes)

    def chat(self, messages: list[dict[str, str]]) -> str:
        """One answer to any question, cut where it is too long. Raises what the library raises, and TimeoutError."""
        return self._once(self._client(), messages, time.monotonic() + self.settings.seconds)

    def _client(self) -> OpenAI:
        from openai import OpenAI

        settings = self.settings
        return OpenAI(base_url=settings.url, api_key=settings.key, timeout=settings.seconds, max_retries=0)

    def _ask(self, client: OpenAI, messages: list[dict[str, str]]) -> tuple[str | None, list[str]]:
        """The first answer that can be read; each one that cannot is sent back with what is wrong."""
        notes: list[str] = []
        deadline = time.monotonic() + self.settings.seconds
        for attempt in range(_REPAIRS + 1):
            try:
                text = self._once(client, messages, deadline)
            except Exception as error:
                notes.append(f"the model did not answer: {type(error).__name__}")
                return None, notes
            try:
                read_answer(text)
            except ValueError as error:
                notes.append(f"answer {attempt + 1} of the model was refused: {str(error)[:200]}")
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": text[:2000]},
                    {"role": "user", "content": f"That is refused: {error}. Answer again with the JSON object alone."},
                ]
            else:
                return text, notes
        return None, notes

    def _once(self, client: OpenAI, messages: list[dict[str, str]], deadline: float) -> str:
        """One answer, read piece by piece so that one without end is cut."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.asked += 1
        sent: list[ChatCompletionMessageParam] = messages  # type: ignore[assignment]  # plain role and content
        pieces: list[str] = []
        size = 0
        with client.chat.completions.create(
            model=self.settings.model, messages=sent, temperature=0, max_tokens=_MOST_TOKENS, stream=True, timeout=left
        ) as stream:
            for chunk in stream:
                piece = (chunk.choices[0].delta.content or "") if chunk.choices else ""
                pieces.append(piece)
                size += len(piece)
                if size > LONGEST_ANSWER:
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError
        return "".join(pieces)

    def _messages(self, inputs: Inputs) -> list[dict[str, str]]:
        rules = (files("orchestrator.generate.llm") / "prompt.md").read_text(encoding="utf-8")
        targets = "\n".join(f"- {one.kind.value} {one.name}: {one.why}" for one in inputs.targets[:30])
        diff = "\n".join(f"{one.path}\n{changed_text(one)}" for one in inputs.changes)[:_LONGEST_DIFF]
        near = inputs.library.near(query_of(inputs.title, inputs.changes, inputs.targets), _NEAREST)
        cases = "\n\n".join(f"{path}:\n{inputs.library.scripts[path].text[:_LONGEST_CASE]}" for _, path in near)
        asked = f"Title: {inputs.title}\n\nTargets:\n{targets}\n\nDIFF\n{diff}\nEND DIFF\n\nNear cases:\n{cases}"
        system = rules.replace("{budget}", str(self.settings.budget))
        return [{"role": "system", "content": system}, {"role": "user", "content": asked}]

    def _path(self, messages: list[dict[str, str]]) -> Path | None:
        asked = json.dumps([self.settings.url, self.settings.model, messages])
        name = hashlib.sha256(asked.encode()).hexdigest()
        return self.settings.cache / f"{name}.json" if self.settings.cache else None

    def _remembered(self, messages: list[dict[str, str]]) -> str | None:
        path = self._path(messages)
        try:
            text = path.read_text(encoding="utf-8") if path else None
            return text if text and read_answer(text) else None
        except (OSError, ValueError):
            return None

    def _remember(self, messages: list[dict[str, str]], text: str) -> None:
        path = self._path(messages)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError:
            return  # an answer that is not remembered is asked for again


def _category(inputs: Inputs) -> str:
    near = inputs.library.near(query_of(inputs.title, inputs.changes, inputs.targets), 1)
    return near[0][1].rpartition("/")[0] or "function" if near else "function"
