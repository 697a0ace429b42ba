"""What several commands are asked for in the same words."""


def overrides(set_: list[str] | None, policy: str | None) -> list[str]:
    """``--set`` and ``--policy`` as changes to a scenario, ``PATH=VALUE`` each."""
    return [*(set_ or []), *([f"migration.policy={policy}"] if policy else [])]
