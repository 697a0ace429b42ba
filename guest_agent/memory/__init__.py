"""A guest's memory: ``ram`` and what it holds at first (``fill``), the ``program`` that writes it and its ``pacing``,
``hashing``; from outside ``verify``: replay and proof, and ``fingerprint``: whose it is.
"""
