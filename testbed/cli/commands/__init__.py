"""One file a command: run, shell, predict; report, compare, serve, audit; listing, schema, packets; lab, and a course;
arena; doctor, bench, clean.
"""
