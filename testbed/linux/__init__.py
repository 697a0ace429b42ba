"""The kernel's interfaces, one file each, and no decisions: what a failure means is said by who calls."""
