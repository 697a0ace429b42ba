"""Runs side by side: ``runs`` read and grouped, a ``comparison`` of their ``measures`` with their ``spread``, judged
``several`` at once, in a ``sentence``, in ``words``, as ``data`` and on a ``page``; their time ``series`` over one
another; and ``conditions`` that it is to fail by.
"""
