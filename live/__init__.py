"""Bridge to the real Azure: plays the chain and the facts of docs/azure-facts.md.

Azure is whatever the environment leads to, the emulator included.

Rules for editors of this package:

1. Every resource that a run makes has the run's mark (`live.marks`); only marked resources are changed or deleted.
2. A check asks Azure; it never guesses. A claim that could not be asked is `not seen`, with the reason.
3. A secret goes into `Hidden` as soon as it arrives; reports are made of hidden text only.
4. Time and ids come through `live.ports`, so that tests play every run on virtual time.
"""
