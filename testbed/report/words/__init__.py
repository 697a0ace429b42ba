"""A run in words and tables: ``answers`` in a sentence, ``summary`` for the terminal, ``page`` and ``services`` for the
page, ``foretold`` and ``forecasts`` against the model, with ``legends``; ``lines`` while it runs; ``digits`` and
``tables`` are how they are set.
"""
