"""Files that root writes for others: ``owned`` makes them, ``trust`` says where, ``installed`` where ours lie.
``ordinary``: one that others wrote, read. ``held``: a folder whose maker lives; ``scratch``: one that is not kept.
"""
