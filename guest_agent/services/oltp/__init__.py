"""Transactions on accounts: ``service``, its ``ledger``, its ``transactions``, its ``client`` and the ``evidence``."""
