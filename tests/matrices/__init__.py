"""Matrices: every fault, kill, suspension and change by people, at every operation of a run, with the invariants of
Azure afterwards.

`effects` has the eight classes to which every fault reduces; `alphabet` has the faults, as data, in rows of `kinds`;
`doors` has the calls by which rotator reaches each operation, in the world of `scene`.
"""
