"""The command line: one small file a command. Human text goes to stderr, data to stdout.

app ───── the program, its exit codes          commands ── one file each; shell_commands: at the shell's prompt
progress, live ── what a terminal shows        live_page ─ the page of a run, where one was asked for
streams ─ output that may break                options ─── what several commands are asked for
"""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code (``core.errors``). ``argv`` is without the program's name; without it
    this is the process's own command, whose standard streams are made to last first.
    """
    try:
        if argv is None:
            from testbed.cli.streams import prepare

            prepare()
        from testbed.cli.app import run_command

        return run_command(argv)
    except KeyboardInterrupt:  # before there is anything that could be said to be broken off
        print("testbed: interrupted", file=sys.stderr)
        return 130
