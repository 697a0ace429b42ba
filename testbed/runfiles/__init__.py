"""What lies in a run's folder: each format's writer and reader, and whether the files agree.

folder ── the folder itself, summary.json     endings ── endings/, written when an end is decided
samples ─ samples.jsonl                       summary_writer ─ a summary as it grows
pages ─── pages.jsonl                         summary_reader ─ the one way in, bounded: files, agreement, derived,
operations ─ operations/, a file a service             witnesses
published ─ what was published, held against it
"""
