"""Soak tests (`make soak`): the matrices whole, then random stories in process and an attack from outside, for some
minutes.

The attack from outside knows the installed command, HTTPS, and the emulator's dump. It imports no module of rotator and
no model of the world from other tests.
"""
