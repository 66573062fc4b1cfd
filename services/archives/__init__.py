"""Everything of a blog in one file: Markdown with YAML above it, and images; out, and in again.

`packing.py` writes an archive, `planning.py` checks one before anything is touched, `unpacking.py`
stores it. `shapes.py` has what stands in its files, `containers.py` opens them safely,
`foreign.py` reads what other programs have written. docs/archive-format.md describes the format.
"""
