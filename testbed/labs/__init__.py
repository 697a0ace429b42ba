"""A course's labs: what each asks of whom, the student's folder, and the checks that hold answers against records.

graded      what the checks found
"""
