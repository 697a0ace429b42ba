"""Whether a run's record agrees with itself, with the workload recomputed from its seed, and with its own policy.

    summary.json, samples.jsonl, pages.jsonl, scenario.yaml ── subject ──▶ a migration and all that stands beside it
        written   what a summary_reader holds against others        guest     its counter, wherever it was read
        chain     each round sends what the one before left         policy    its decisions, asked for again
        downtime  clocks that saw the same switchover               asked     scenario.yaml against the record
        clock     marks and rounds on one axis                      model     a simulated run, made again
        link      the link's counter against bytes and rounds       workload  whose run it is, by pages and memory;
                          │                                         decoys    how alike two seeds' pages are
    verdict ◀─────────────┘  all of them, migration by migration;   agreement one: held, not held, not known

Everything here is over values, but for ``subject``, which reads, and ``model``, which asks git for a commit. No code
that a run names is run, and what is recomputed has a limit, whatever a folder says.
"""
