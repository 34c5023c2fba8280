"""Our functions as the SDK takes them: errors an agent can act on, answers with a schema."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

import pydantic
from mcp.server.mcpserver.exceptions import ResourceError, ToolError

from orchestrator.domain.errors import MoTestplanError


def said(error: MoTestplanError) -> str:
    """What happened and what to do next, in one line; its kind first."""
    return f"{type(error).__name__}: {error.sentence} {error.remedy}".rstrip().encode("utf-8", "replace").decode()


def actionable(call: Callable[..., Any], kind: type[ToolError | ResourceError] = ToolError) -> Callable[..., Any]:
    """``call`` with our errors as ``kind``, whose text reaches the agent, and a dataclass as a model of its fields.

    The SDK takes the members of a slotted dataclass for defaults, and finds no schema.
    """
    signature = inspect.signature(call, eval_str=True)
    view = signature.return_annotation
    model = _model(view) if isinstance(view, type) and dataclasses.is_dataclass(view) else None

    @functools.wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the call's own
        try:
            answer = call(*args, **kwargs)
        except MoTestplanError as error:
            raise kind(said(error)) from error
        if model is None:
            return answer
        return model(**{field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)})

    wrapped.__signature__ = signature.replace(return_annotation=model or view)  # type: ignore[attr-defined]
    return wrapped


@functools.cache
def _model(view: type[Any]) -> type[pydantic.BaseModel]:
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in typing.get_type_hints(view).items()}
    made: type[pydantic.BaseModel] = pydantic.create_model(view.__name__, __doc__=view.__doc__, **fields)
    return made
