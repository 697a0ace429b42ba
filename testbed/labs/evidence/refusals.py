"""How a check says that an answer is not right, or that it cannot be asked."""

import math
from numbers import Real

from testbed.core.own.words import shown


class Wrong(Exception):
    """An answer is not right: why, what the mistake was where it is a known one, and which share was earned.

    Raises ``TypeError`` for what is no text or no number: the check breaks then where it stands.
    """

    def __init__(self, reason: str, hint: str = "", share: float = 0.0) -> None:
        _check(share, reason=reason, hint=hint)
        super().__init__(reason)
        self.reason, self.hint, self.share = reason, hint, share


class NotAsked(Exception):
    """A check does not apply here, which costs nothing."""


def _check(share: object, **texts: object) -> None:
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"the {name} of Wrong(...) is a text, not {shown(text)}")
    if not isinstance(share, Real) or math.isnan(share):
        raise TypeError(f"the share of Wrong(...) is a number from 0 to 1, not {shown(share)}")
