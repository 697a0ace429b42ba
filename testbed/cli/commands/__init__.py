"""One file a command, and in ``course`` those of a course.

run, shell, predict      report, compare, audit, serve      listing, schema, packets      doctor, bench, clean
"""
