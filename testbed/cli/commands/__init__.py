"""One file a command: run, shell, predict; report, compare, serve, audit; listing, schema, packets; lab; doctor, bench,
clean.
"""
