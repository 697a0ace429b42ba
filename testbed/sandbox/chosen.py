"""The policy that a spec means, trusted or not: each agent asks here, and the sandbox is loaded where one is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed import policies
from testbed.core.parameters import Spec
from testbed.policies.policy import Policy

SANDBOXED = "sandboxed"
"""The name of such a policy in a spec: ``{"name": "sandboxed", "file": "/home/me/mine.py", parameter: ...}``. Who does
not know it finds no policy of that name, and so runs nothing.
"""


@contextmanager
def built(spec: Spec) -> Iterator[Policy]:
    """The policy that a plan's spec means; one of the name ``SANDBOXED`` runs in a sandbox while the context lasts.

    Raises as ``policies.build`` and ``policy`` do.
    """
    if spec.get("name") != SANDBOXED:
        yield policies.build(spec)
        return
    from testbed.sandbox.sandboxed_policy import policy

    given = {key: value for key, value in spec.items() if key not in ("name", "file")}
    with policy(Path(str(spec["file"])), offered=given) as made:
        yield made
