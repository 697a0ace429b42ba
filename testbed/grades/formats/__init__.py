"""What grades are told in, a file a format, each a pure function of works.

tables       CSV: ours, Moodle's
as_json      JSON, with everything
junit        JUnit's XML
gradescope   ``results.json`` of Gradescope
classroom50  ``result.json`` of Classroom 50
classroom    what GitHub Classroom's reporter reads
"""
