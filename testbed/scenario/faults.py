"""What pydantic found wrong, as one line in our own words, with file and line and the nearest right word."""

import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario.document import Document, dotted
from testbed.scenario.extends import EXTENDS
from testbed.scenario.models import Root
from testbed.scenario.parameters import NameMissing
from testbed.scenario.quantities import shown

LONGEST = 400
_ORDER = {"extra_forbidden": 0, "missing": 2}
"""A misspelt key is often also a missing one: the misspelling is what helps."""


def scenario_error(
    error: ValidationError, document: Document, model: type[BaseModel], at: KeyPath = ()
) -> ScenarioError:
    """The first fault of ``error`` as a ``ScenarioError``. ``at`` is where in the document the model was read from."""
    fault = min(error.errors(include_url=False), key=lambda fault: _ORDER.get(fault["type"], 1))
    path = (*at, *fault["loc"])
    path = (*path, *getattr(_cause(fault), "below", ()))
    return ScenarioError(one_line(_message(fault, path, model)), document.place(path))


def only_incomplete(error: ValidationError) -> bool:
    """Whether nothing is wrong, but something is missing that the matrix may give."""
    faults = error.errors(include_url=False)
    return all(each["type"] == "missing" or isinstance(_cause(each), NameMissing) for each in faults)


def one_line(message: str) -> str:
    """``message`` without line ends and control characters, and not endless."""
    clean = "".join(char if char.isprintable() else " " for char in message)
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST // 2]} ... {clean[-LONGEST // 2 :]}"


def _message(fault: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    name = dotted(path)
    match fault["type"]:
        case "extra_forbidden":
            fields = _model_at(model, fault["loc"][:-1]).model_fields
            known = [field.alias or name for name, field in fields.items()]
            if fields is Root.model_fields and path[-1] != EXTENDS:  # that is none of what a run kept
                known.append(EXTENDS)
            return f"unknown key '{name}'; {nearest(str(path[-1])[:60], known)}"
        case "missing":
            return f"'{name}' is missing{_described(model, fault['loc'])}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"'{name}' must be a mapping of keys, not {shown(fault['input'])}"
        case "list_type":
            return f"'{name}' must be a list, not {shown(fault['input'])}"
        case _:
            cause = _cause(fault)
            said = str(cause) if cause is not None else f"cannot be {shown(fault['input'])}"
            return f"'{name}': {said}" if name else said


def _cause(fault: ErrorDetails) -> Any:
    """The error of ours that pydantic tells about."""
    return fault.get("ctx", {}).get("error")


def _described(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    description = _model_at(model, loc[:-1]).model_fields[str(loc[-1])].description
    return f": {description}" if description else ""


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that reads the mapping at ``loc``."""
    keys = iter(loc)
    for key in keys:
        annotation: Any = model.model_fields[str(key)].annotation
        members = [annotation, *typing.get_args(annotation)]
        model = next(member for member in members if isinstance(member, type) and issubclass(member, BaseModel))
        if typing.get_origin(annotation) in (dict, list):
            next(keys, None)  # which of them it is
    return model
