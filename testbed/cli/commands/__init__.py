"""One file a command, and in ``course`` those of a course.

run, shell, predict      report, compare, audit, serve, docs      listing, schema, packets      doctor, bench, clean
"""
