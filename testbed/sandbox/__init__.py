"""Code that is not trusted, in a process that can do no harm."""
