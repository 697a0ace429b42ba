"""Emulated machines with a distribution's own kernel, in which this checkout is tried: `bootstrap machine`.

``kinds``: which there are; ``told``: what apt and pip of this machine are told; ``cache``: where images stay; ``image``
: how one is made; ``foreign``: for another processor than this one; ``emulator``: QEMU; ``children``: what ends with
this process; ``guest``: what is done in a machine; ``results``: what comes back; ``faults``: what may be said of it. Of
the scripts, ``provision`` makes Vagrant's machine as well as these, ``fill`` makes a disk, and ``ci`` is what is tried
within.
"""
