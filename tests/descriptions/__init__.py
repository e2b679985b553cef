"""Holds what the emulator answers against Azure's own API descriptions (swagger 2.0, as in the repository Azure/azure-rest-api-specs).

The descriptions are no part of this project. The environment variable ROTATOR_SPECS names a directory laid out as that repository is; where it is
set, every request that any test makes of an emulator in its own process is judged, and a test fails at its end for each finding that
`deviations.py` doesn't explain.
"""

import os
from pathlib import Path

SPECS = Path(os.environ["ROTATOR_SPECS"]) if os.environ.get("ROTATOR_SPECS") else None
"""Where the descriptions are; None where nobody has them."""
