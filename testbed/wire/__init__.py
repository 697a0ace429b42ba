"""The migration protocol without sockets: what may be said, in which bytes, by whom and when.

messages, pages, tcp ─ in bytes        states, limits, running ─ who may say what, when, and how much
connection ─ one end of it             lines ─ what agents and the run say, which is JSON
"""
