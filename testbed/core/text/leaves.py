"""The values of a tree, each by the way to it: what two trees do not have in common is told by that."""

from collections.abc import Mapping
from typing import Any


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """``{"a": [{"b": 1}]}`` as ``{"a.0.b": 1}``; what is empty has none."""
    if isinstance(tree, Mapping):
        parts_of = tree.items()
    elif isinstance(tree, list | tuple):
        parts_of = dict(enumerate(tree)).items()
    else:
        return {path: tree}
    return {k: v for key, part in parts_of for k, v in leaves(part, f"{path}.{key}".lstrip(".")).items()}
