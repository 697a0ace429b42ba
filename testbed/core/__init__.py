"""Values and their rules. Nothing here knows a socket, a clock, a file or a process."""
