"""Runs side by side: ``runs`` read and grouped, ``measures`` with their ``spread``, in ``words`` and on a ``page``."""
