"""One file a command of a course's: grade."""
