"""What this machine can do.

abilities ─── tries each        fitting ─── which scenarios it can make
lacking ───── what keeps this user from any run: asked in lacking_process, where a run would be made
"""
