"""Bridge to the real Azure: plays the chain and the facts of docs/azure-facts.md.

It plays against whatever the environment says is Azure, the emulator included.

Rules for editors of this package:

1. Everything that is made carries the run's mark (`live.marks`), and nothing else is ever changed or deleted.
2. A check asks; it never guesses. What could not be asked is `not seen`, with the reason.
3. A secret goes into `Hidden` in the moment in which it arrives; a report is made of hidden text only.
4. Time and ids come through `live.ports`, so that the tests play all of it on virtual time.
"""
