"""What all points say together: ``rows`` of tables; ``cells``, ``heat`` and the ``page``; ``finish`` writes them.
``cost``: what all of it took beside the runs.
"""
