"""The version of this tree, as every summary names it."""

__version__ = "0.1.0"
