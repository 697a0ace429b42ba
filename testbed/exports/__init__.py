"""A run in the formats of others: tables for notebooks, a trace for Perfetto, text for Prometheus.

export ── the files of one run        tables, sampled ─ its tables: of the record, of what was sampled
cells ─── what a table is made of     csv_text, parquet ─ how tables are written; package: what says what they hold
units ─── what a column counts        trace, counters ─ slices and curves on one axis
openmetrics ─ figures of a run that is over        standing ─ of one that goes on
junit ─ verdicts as CI systems show them
"""
