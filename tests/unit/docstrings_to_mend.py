"""Docstrings that do not say what they are about, by the full names of what they stand at. To be mended, none added."""

TO_MEND = {
}
