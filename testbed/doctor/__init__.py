"""What this machine can do: ``abilities`` tries each."""
