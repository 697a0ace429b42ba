"""A user's own code in a file: ``file`` finds its class, ``running`` runs it, ``beside`` is what it imports, ``words``
tell what it did wrong.

Policies, workloads and dirty trackers are had so, by a name that ends in ``.py``. Whoever loads a scenario is told of
each file before it is run (``scenario.load``, ``own_code``).
"""
