"""Whether a machine can make a migration, from values: what a plan needs, what there is, what to scale if it is less.

needs ─── of a plan, and of it made smaller       judging ─ held against a machine; the smallest scale that fits
words ─── what is said of that
"""
