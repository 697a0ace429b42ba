"""A guest's memory: ``ram`` and what it holds at first (``fill``), the ``program`` that writes it and its ``pacing``,
``hashing`` and ``verify``: replay and proof, from outside.
"""
