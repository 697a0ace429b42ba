"""One file a command: run, shell, predict; report, compare, serve, audit; listing, schema, packets; doctor, bench, clean;
and, in ``course``, those of a course.
"""
