"""One file a command of a course: lab, grade, arena, docs."""
