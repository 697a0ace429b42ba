"""Reads and writes of a disk as Iometer makes them: ``service``, its ``accesses``, and the ``evidence`` of the disk."""
