"""Packets of a migration: kept, read, and told.

capture ─ capture_process ─▶ pcap ─▶ frames ─▶ overheard, dissect ─▶ story ─▶ words
pcapng ── captures of others                 announcement ─ the frames that say where a guest is
quiet_scapy ─ before scapy is imported
"""
