"""Those who talk to the guest from another host: ``python -m guest_agent.client CONFIG`` (client/common.py).

    probe           asks a UDP echo every 1.9 ms whether the guest is there
    NAME            the clients of that service: the ``Client`` that its folder registers (guest_agent/services/NAME)
    line            a connection of theirs, made again when it breaks
    conversation    what they and their parent say to each other

They know nothing of migrations: what they see is what a user would.
"""
