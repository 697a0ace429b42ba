"""``python -m guest_agent --socket PATH --config JSON``: one guest. Says ``ready`` and lives as long as its parent."""

import argparse
import gc
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a guest is one thread, and pools of threads are RAM

from guest_agent.config import GuestConfig
from guest_agent.guest import Guest
from guest_agent.messages import Acknowledged, ControlRequest, FirstStep, Logs, Ports, Reply
from guest_agent.server import ControlServer
from testbed.core.errors import TestbedError
from testbed.linux.memory import userfaultfd
from testbed.linux.processes import process


class ServedGuest:
    """The guest's verbs, and its life between ``ready`` and its end."""

    def __init__(self, guest: Guest, path: str) -> None:
        self._guest, self._server, self._over = guest, ControlServer(path, guest.loop, self._answer), False

    def live(self) -> None:
        """Until it is told to stop, or its parent has died."""
        os.write(1, b"ready\n")
        try:
            while not self._over and self._server.parent_is_alive:
                self._server.serve(self._guest.step() if self._guest.running else None)
        finally:
            self._server.close()

    def _answer(self, request: ControlRequest, fds: list[int]) -> tuple[Reply, list[int]]:
        guest = self._guest
        match request.do:
            case "ports":
                ports = Ports(pid=os.getpid(), ram_address=guest.ram.address, ram_bytes=guest.ram.size)
                return ports, [os.dup(guest.ram.fd), os.dup(guest.journal.fd)]
            case "userfaultfd":
                return Acknowledged(), [userfaultfd.open_userfaultfd()]
            case "logs":
                machines = guest.machines
                return Logs(services=tuple(machines.names)), [os.dup(machine.log.fd) for machine in machines.machines]
            case "adopt":
                guest.machines.adopt(request.local_ports, fds)
            case "run":
                guest.run()
                return FirstStep(at=guest.first_step, operation=guest.operations), []
            case "status":
                return guest.status(), []
            case "stop":
                self._over = True
        return Acknowledged(), []


def main() -> int:
    """Returns the exit code of the error tree."""
    parser = argparse.ArgumentParser(prog="guest_agent", description="one guest process")
    parser.add_argument("--socket", required=True, help="where its control socket is made")
    parser.add_argument("--config", required=True, help="what it is, as JSON (guest_agent/config.py)")
    arguments = parser.parse_args()
    sys.stdout = sys.stderr  # descriptor 1 is for "ready"; what a workload prints goes to the log
    process.die_with_parent()  # by signal, for a stopped guest sees no end of file
    process.set_timer_slack(1e-6)
    process.allow_files()  # each of its services' connections is one
    try:
        session = ServedGuest(Guest(GuestConfig.parse(arguments.config)), arguments.socket)
        gc.collect()
        gc.freeze()
        session.live()
    except TestbedError as error:
        sys.stderr.write(f"guest: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
