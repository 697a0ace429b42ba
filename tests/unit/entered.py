"""Namespaces of one's own, entered as by an ordinary user: how tests get in."""

import os
import subprocess
import sys
import textwrap

NOBODY_SPECIAL = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
"""What starts a command as an ordinary user, whoever tests."""
CAN = subprocess.run(["unshare", "-Ur", "true"], capture_output=True, check=False).returncode == 0


def python(code: str, *before: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [*before, sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | more)


ENTERS = """
    import os, sys
    from testbed.linux.namespaces.entering import NotEntered, enter
    try:
        enter()
    except NotEntered as refused:
        sys.exit(f"{refused.step} {refused.errno}")
"""
