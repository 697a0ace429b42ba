"""Whether a run's record agrees with itself, with the workload recomputed from its seed, and with its own policy.

    summary.json, samples.jsonl, pages.jsonl, scenario.yaml ── subject ──▶ a migration and all that stands beside it
      written   what a summary_reader holds against others   link      the link's counter against bytes and rounds
      chain     each round sends what the one before left          policy    its decisions, asked for again
      downtime  clocks that saw the same switchover                asked     scenario.yaml against what was recorded
      clock     marks and rounds on one axis                       workload  whose run it is, by its pages and memory
      guest     the guest's counter, wherever it was read          workload's decoys: how alike two seeds' pages are
                          │
    verdict ◀─────────────┘  all of them, migration by migration;  agreement  one of them: held, not held, not known

Everything here is over values, but for ``subject``, which reads. No code that a run names is run, and what is
recomputed has a limit, whatever a folder says.
"""
