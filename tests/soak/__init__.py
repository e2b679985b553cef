"""`make soak`: the matrices whole, then random stories in process and an attack from outside until the minutes are over.

The attack from outside knows the installed command, HTTPS, and the emulator's dump. It imports nothing of rotator, and
no other test's truth.
"""
