"""Commands that make ready: ``new`` begins a scenario, ``completion`` is for the shell, ``version`` tells it."""
