"""One file a command: run, shell, predict; report, compare, serve, audit; listing, schema, packets; lab, arena and those
of a course; doctor, bench, clean.
"""
