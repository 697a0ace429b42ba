"""One file a command: run, shell, predict; report, compare, serve, audit; lab; arena; listing, schema, packets;
doctor, bench, clean.
"""
