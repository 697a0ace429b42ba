"""A run's page: ``figures`` says which charts it has, ``captions`` what is to be seen in each, ``page`` gathers it into
its ``model``, ``html`` writes it.
"""
