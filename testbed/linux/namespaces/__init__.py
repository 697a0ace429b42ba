"""Namespaces of one's own, in which an ordinary user is root: entered, and what lies outside of them.

entering ─ the way in, step by step           outside ─ what was taken along, and who we are there
knobs ──── settings that refuse them          supervising_process ─ who stays outside for signals and the exit code
"""
