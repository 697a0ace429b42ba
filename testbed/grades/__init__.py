"""Hand-ins: read as what strangers made, graded, compared with each other, and told in the formats that others read.

handed       which hand-ins there are: zips, folders, a class's download
work         a hand-in that was graded, its days and points
judging      what a lab and a course say of how they are graded
grading      all of them, one after the other, and what is held against each other
rerun        a sample, run again by the teacher
counting     of two of one student the later
alike        figures and texts that two have
formats      what it is told in
outputs      the files that are written, opened before root is given up
rehearsal    one of nobody's, before root is given up
roster       who should have handed in
submitted    whether who handed in is who started
autograder   what Gradescope and others are given, out of `kits`
"""
