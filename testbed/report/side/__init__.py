"""Runs side by side: ``runs`` read and grouped, a ``comparison`` of their ``measures`` with their ``spread``, in
``words`` and on a ``page``.
"""
