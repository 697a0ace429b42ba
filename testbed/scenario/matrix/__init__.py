"""From one file to many: ``axes`` of values, ``cases`` side by side, ``overrides`` of the command line."""
