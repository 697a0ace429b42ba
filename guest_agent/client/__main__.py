"""``python -m guest_agent.client CONFIG``: the clients of one service, or the probe, on the host that they live on."""

import gc
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a client is one thread

from guest_agent.client import probe
from guest_agent.client.common import Client, ClientConfig, Loop, clients
from testbed.core.errors import ScenarioError, TestbedError
from testbed.linux.processes import process


def main() -> int:
    """Returns the exit code of the error tree; 1 where the parent died."""
    process.die_with_parent()
    process.allow_files()  # each connection is one
    try:
        config = ClientConfig.parse(sys.argv[1] if len(sys.argv) == 2 else "")
        gc.disable()  # nothing here is in a circle, and a collection would be a pause of the client's own
        if config.kind == "probe":
            return 0 if probe.run(config) else 1
        loop = Loop()
        return 0 if loop.run(_client(config, loop)) else 1
    except TestbedError as error:
        sys.stderr.write(f"client: {error}\n")
        return error.exit_code


def _client(config: ClientConfig, loop: Loop) -> Client:
    """Raises ``ScenarioError`` for a service that nobody can talk to."""
    if not config.build().clients:
        raise ScenarioError(f"service '{config.name}' has no clients")
    return clients.get(config.name)(config, loop)


if __name__ == "__main__":
    sys.exit(main())
