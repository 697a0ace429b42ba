"""The agents as processes: ``agent_process`` is either, ``source_process`` and ``destination_process`` their lives;
``attached`` is the guest as they reach it.
"""
