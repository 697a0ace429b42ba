"""How a check says that an answer is not right, or that it cannot be asked."""


class Wrong(Exception):
    """An answer is not right: why, what the mistake was where it is a known one, and which share was earned."""

    def __init__(self, reason: str, hint: str = "", share: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.share = reason, hint, share


class NotAsked(Exception):
    """A check does not apply here, which costs nothing."""
