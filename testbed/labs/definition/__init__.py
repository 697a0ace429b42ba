"""What a lab asks: ``spec`` is ``lab.yaml``, ``draw`` a student's own numbers, ``render`` files with these in them."""
