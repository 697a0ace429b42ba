"""A course's labs: what each asks of whom, the student's folder, and the checks that hold answers against records.

lab.yaml ── definition ──▶ catalogue: a lab's folder               course: when it is due
student  ── starting ──▶ workbook: the folder, answers ── running ──▶ a run in it
judging  ── check, evidence: what checks.py is written with; own_checks, ownership ── checking ──▶ graded
teachers ── proving: right and wrong answers
handing in ── handin: the zip, packed and opened within bounds, as unpacking does it
"""

from testbed.labs.catalogue import find

__all__ = ["find"]
