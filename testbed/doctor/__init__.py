"""What this machine can do: ``abilities`` tries each; ``fitting`` says which scenarios it can make."""
