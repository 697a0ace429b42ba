"""A lab is tested before students meet it: ``proof``, by the right and the wrong answers of its ``reference``, each as
a student's ``made_work``.
"""
