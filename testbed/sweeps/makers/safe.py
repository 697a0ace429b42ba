"""Where a scheduler may be: Dask's workers run whatever they are sent, so who may send it is asked first.

tls://HOST:PORT         with certificates: each end shows its own, signed by the one authority
tcp://127.0.0.1:PORT    this machine alone, whose every user may then send something
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.core.errors import PrerequisiteMissing, ScenarioError

INSTALL = "pip install 'fast-motion[sweep]'"
URL = re.compile(r"(?P<kind>[a-z]+)://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files in PEM: the authority, one's own certificate, and its key; None where none was named."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerPlace:
    """A scheduler's place, and how it is spoken to; ``host`` is one's own address there, where that is known."""

    url: str
    host: str | None
    certificates: Certificates | None


def place(url: str, given: Certificates) -> SchedulerPlace:
    """A place that is safe to speak to. Raises ``ScenarioError`` for one that is not."""
    found = URL.fullmatch(url)
    if found is None or found["kind"] not in ("tls", "tcp") or not 0 < int(found["port"]) < 1 << 16:
        raise ScenarioError(f"a scheduler is tls://HOST:PORT, or tcp://127.0.0.1:PORT, not '{url:.80}'")
    if found["kind"] == "tls":
        return SchedulerPlace(url=url, host=None, certificates=_checked(given))
    if not _loopback(found["host"]):
        raise ScenarioError(
            f"{url:.80} is neither encrypted nor does it ask who speaks, and workers run what they are sent: "
            f"use tls:// with --tls-ca, --tls-cert and --tls-key"
        )
    return SchedulerPlace(url=url, host=found["host"].strip("[]"), certificates=None)


def security(of: SchedulerPlace) -> Any:
    """What Dask is told of it."""
    from distributed.security import Security

    known = of.certificates
    if known is None:
        return Security(require_encryption=False)
    files = {"cert": str(known.cert), "key": str(known.key)}
    each = {f"tls_{role}_{what}": file for role in ("client", "worker") for what, file in files.items()}
    return Security(require_encryption=True, tls_ca_file=str(known.ca), **each)


def required() -> None:
    """Raises ``PrerequisiteMissing``, with what installs it, where there is no Dask."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise PrerequisiteMissing("sweeps over several machines need dask.distributed", INSTALL) from error


def quiet() -> None:
    """Dask's own lines are not said: what is to be known is said by us, once."""
    import logging

    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    logging.getLogger("tornado").setLevel(logging.CRITICAL + 1)


def _checked(given: Certificates) -> Certificates:
    """Raises ``ScenarioError`` where one is not named or not there."""
    files = {"--tls-ca": given.ca, "--tls-cert": given.cert, "--tls-key": given.key}
    missing = [option for option, file in files.items() if file is None]
    if missing:
        raise ScenarioError(f"tls:// needs certificates; give {', '.join(missing)}")
    for option, file in files.items():
        if file is not None and not file.is_file():
            raise ScenarioError("there is no such file", f"{option} {file}")
    return given


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
