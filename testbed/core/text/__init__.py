"""Text that anybody may have written: made ``printable``, read within bounds, and what was ``meant`` by it."""
