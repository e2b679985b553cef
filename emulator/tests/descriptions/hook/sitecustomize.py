"""Hook for an emulator in a separate process, loaded from PYTHONPATH: writes its differences from the descriptions into
the file ROTATOR_FINDINGS.

The first line has the number of judged exchanges; one line for each finding follows.
"""

import atexit
import os
import sys
from pathlib import Path

if "local_azure.process" in sys.orig_argv and os.environ.get("ROTATOR_FINDINGS"):
    from descriptions import SPECS
    from descriptions.witness import Witness

    assert SPECS is not None
    witness = Witness(SPECS)
    witness.watch()

    def _tell() -> None:
        Path(os.environ["ROTATOR_FINDINGS"]).write_text(
            "\n".join([f"judged {witness.judged}", *map(str, witness.report())])
        )

    atexit.register(_tell)
