"""What anybody may have packed, made plain files in a folder of ours.

bounds      how much is read at most, and which names it may have
archives    zips, and folders, are unpacked and copied
"""
