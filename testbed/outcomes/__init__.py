"""What ``testbed.run``, ``load``, ``predict`` and ``compare`` give: figures as values, tables, charts.

run ── a run's folder      predictions ── of a scenario      compared ── runs side by side
table ── columns that pandas and polars take                 markup ── how a notebook shows them
"""
