"""What can go wrong with a machine, and the exit code that says so."""


class MachineError(Exception):
    """One line for the user: what is wrong, and what to do."""

    exit_code = 1


class UsageError(MachineError):
    """What was asked for is not there."""

    exit_code = 2


class ToolMissing(MachineError):
    """This machine lacks something, and the line says what installs it."""

    exit_code = 3


class CacheBusy(MachineError):
    """Another call has the cache."""

    exit_code = 4
