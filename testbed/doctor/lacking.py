"""What keeps this user from any run here, asked where a run would be made: in namespaces of one's own, or as root.

By a process of its own, since who enters namespaces does not come back, and has to be without threads.
"""

import json
import subprocess

from testbed.core.errors import TestbedError
from testbed.linux.processes.module import module

PATIENCE_S = 60.0


def lacking() -> list[str]:
    """What is needed and not there, each with its remedy. Raises ``TestbedError`` where that could not be found out."""
    try:
        done = subprocess.run(
            module("testbed.doctor.lacking_process"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return [str(each) for each in json.loads(done.stdout)]
    except (OSError, ValueError, subprocess.SubprocessError) as fault:
        raise TestbedError("what this machine can do could not be found out; see: testbed doctor") from fault
