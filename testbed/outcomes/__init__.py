"""What ``testbed.run``, ``load``, ``predict``, ``compare`` and ``sweep`` give: figures as values, tables, charts.

run ── a run's folder      predictions ── of a scenario      compared ── runs side by side
swept ── many points of one scenario
table ── columns that pandas and polars take                 markup ── how a notebook shows them
"""
