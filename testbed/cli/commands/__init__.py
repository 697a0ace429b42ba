"""One file a command, and in ``course`` those of a course; ``ready``: what begins, completes, and tells the version;
``many``: about many points.

run, shell, predict      report, compare, export, audit, serve      listing, schema, packets      doctor, bench, clean
"""
