"""``worker``: this machine makes points of sweeps that are conducted elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from testbed.core.errors import PrerequisiteMissing


def worker(
    url: Annotated[str, typer.Argument(help="a Dask scheduler: tls://HOST:PORT, or tcp://127.0.0.1:PORT")],
    engine: Annotated[str, typer.Option(help="native: real hosts, after doctor; or simulated alone")] = "native",
    tls_ca: Annotated[Path | None, typer.Option("--tls-ca", help="the authority's certificate (PEM)")] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="this worker's certificate (PEM)")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="its key (PEM)")] = None,
    as_root: Annotated[bool, typer.Option("--as-root", help="let a scheduler run its tasks as root here")] = False,
) -> int:
    """Join a Dask scheduler and make points of others' sweeps, one at a time, after doctor and a canary.

    Example: testbed worker tls://lab1:8786 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key
    """
    from testbed.engines import registry
    from testbed.report.words.lines import say
    from testbed.sweeps.makers import safe
    from testbed.sweeps.makers.worker import check, serve, tried

    safe.required()
    place = safe.place(url, safe.Certificates(ca=tls_ca, cert=tls_cert, key=tls_key))
    check(engine, as_root)
    if registry.get(engine).needs_machine:
        _able()
    tried(engine)
    serve(place, engine, say)
    return 0


def _able() -> None:
    """Raises ``PrerequisiteMissing`` for what no run of this user's is possible without."""
    from testbed.doctor.lacking import lacking

    if missing := lacking():
        raise PrerequisiteMissing(f"no run is possible without {missing[0]}", "see: testbed doctor")
