"""Packets of a migration: kept, read, and told.

capture ─ capture_process ─▶ pcapng ─▶ frames ─▶ overheard, dissect ─▶ story ─▶ words
pcapng, pcapng_writer ─ the file             remarks ─ comments in it
announcement ─ the frames that say where a guest is
wireshark ─ a dissector in Lua
quiet_scapy ─ before scapy is imported
"""
