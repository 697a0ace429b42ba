"""A sample of the hand-ins, run again by the teacher: what a record that agrees with itself cannot know.

draw            which ones: nobody foresees it, and whoever knows the seed can repeat it
messages        what is asked to be run again, and what came of it
claims          what a hand-in's records claim
again           the run, of the lab's scenario and the student's numbers alone
again_process   the same as a process that keeps root while hand-ins are read without
asking          whoever is asked for it: that process, or this one
held            what was claimed, held against what came
sample          all of it, as flags of the works
"""
