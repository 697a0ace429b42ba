"""A script of the standard library at one end of the vMotion link: ``transfer_process`` and
``cross_traffic_process`` are started so.
"""

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from testbed.linux.processes.child import Child
from testbed.network.fabric import Fabric

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningPort:
    """What a receiving end says first: where it listens."""

    port: int


class LinkScript(Child):
    """``file`` in a host, asked for ``request`` (a dataclass, its only argument). Without site-packages: it starts in a
    third of the time.
    """

    def __init__(
        self, fabric: Fabric, host: str, file: str, request: "DataclassInstance", log: IO[bytes] | int | None = None
    ) -> None:
        argv = [sys.executable, "-I", "-S", file, json.dumps(asdict(request))]
        super().__init__(partial(fabric.spawn, host), argv, log)

    def connect_to(self, port: ListeningPort) -> None:
        """Tells a sending end where the other one listens."""
        self.tell(b"%d\n" % port.port)
