"""What a run writes of a migration, as values.

``migration`` is the record; its parts are ``link``, ``rounds``, ``switchover``, ``stamps``, ``services``,
``fingerprint`` and ``lab``. ``claims`` are what others published, ``sample_owner`` says whose a sample is; ``sampler``
and ``verdict`` are what measuring and a service's oracle say of themselves.
"""
