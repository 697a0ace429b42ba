"""The kernel's interfaces, one file each, and no decisions: what a failure means is said by who calls.

memory ── a guest's pages        net ── links, sockets, packets        processes ── ours and theirs
files ─── written by root        aio ── disk operations                syscalls ─── what Python has no function for
namespaces ─ a machine's worth of one's own, without root
control_groups ─ those that this process is in, and what they let it have        mounts ─ what is mounted where
pseudo_files ─ what the kernel says in small files
"""
