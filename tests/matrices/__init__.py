"""The matrices: all that can happen to a run, by the world's own alphabet, and what must be true of Azure afterwards.

`effects` has the eight classes to which everything reduces that an operation can meet; `alphabet` has what it can meet,
as data, in rows of `kinds`; `doors` has how rotator comes to each operation, in the world of `scene`.
"""
