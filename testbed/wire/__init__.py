"""The migration protocol without sockets: what may be said, in which bytes, by whom and when."""
