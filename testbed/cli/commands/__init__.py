"""One file a command: run, shell, predict; report, compare, serve; listing, schema, packets; doctor, bench, clean."""
