"""Who makes the points of a sweep: ``here`` this process, ``jobs`` others beside it, each a ``job_process``."""
