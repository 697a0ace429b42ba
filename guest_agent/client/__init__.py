"""Those who talk to the guest from another host: ``python -m guest_agent.client CONFIG`` (client/common.py).

    probe   asks a UDP echo every 1.9 ms whether the guest is there
    NAME    the clients of the service NAME, in a file of that name: ``make(config, loop)`` gives a ``Client``

They know nothing of migrations: what they see is what a user would.
"""
