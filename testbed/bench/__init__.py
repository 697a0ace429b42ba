"""What this testbed costs and reaches on this machine: ``rows`` of figures, ``guest`` those of the guest alone."""
