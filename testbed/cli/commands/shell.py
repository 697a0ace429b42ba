"""``shell``: Mininet's prompt with the hosts up and a guest at work, for whoever wants to try things one by one."""

from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import TrustNothing, overrides, own_code, policy_names, scenario_names
from testbed.linux.processes.interrupts import keyboard

TEXT = "testbed> "
HELLO = """The hosts are up and the guest is at work. Commands beside Mininet's own (help, net, esx1 COMMAND, exit):
  migrate   status   wait   cancel   cut   mend   rate 300Mbit   throttle 0.5   again [PATH=VALUE ...]"""


def shell(
    scenario: Annotated[
        str, typer.Argument(help="name or file; see: testbed list scenarios", autocompletion=scenario_names)
    ] = "hello",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change a key")] = None,
    policy: Annotated[
        str | None, typer.Option(help="a policy by name, or a file of your own: ./mine.py", autocompletion=policy_names)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="what all randomness begins from")] = None,
    trust_nothing: TrustNothing = False,
    out: Annotated[Path | None, typer.Option(help="folder of results; default: results/SCENARIO-TIME")] = None,
) -> int:
    """Mininet's prompt with hosts up and a guest running, to be migrated by hand; of a matrix the first migration.

    Example: testbed shell hello --policy vmotion
    """
    from testbed.cli.shell_commands import Commands
    from testbed.experiment.rootless import become_root
    from testbed.experiment.session import Session
    from testbed.network.prompt import prompt
    from testbed.report.words.lines import Plain, say
    from testbed.runfiles.folder import results_folder
    from testbed.scenario import load

    given = overrides(set_, policy)
    loaded = load(scenario, overrides=given, seed=seed, own_code=own_code(trust_nothing))
    become_root()
    with (
        results_folder(loaded.name, out) as folder,
        Session(loaded, folder, Plain(), say) as session,
    ):
        commands = Commands(
            session, lambda more: load(scenario, overrides=[*given, *more], seed=seed, own_code=own_code(trust_nothing))
        )
        for line in HELLO.splitlines():
            say(line)
        later: list[str] = []
        with keyboard(session.signals, prompt.__code__):
            while prompt(session.fabric, commands.by_name(), TEXT, later):
                pass
    if session.summary.migrations:
        say(f"results: {folder}")
    return 0
