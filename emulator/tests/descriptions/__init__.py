"""Holds what the emulator answers against Azure's own API descriptions.

They are no part of this project. The environment variable LOCAL_AZURE_SPECS names a directory below which they are;
where it is set, every request that any test makes of an emulator in its own process is judged, and a test fails at its
end for each finding that `deviations.py` doesn't explain.

`judge.py` reads swagger 2.0 (``specification/**`` of the repository Azure/azure-rest-api-specs): status, body and what
was asked of Resource Manager, Key Vault and the registry, in the version that was asked for, else in the newest.
`types.py` reads resource types (``types.json`` or ``bicep-types-*.json``, of Azure/bicep-types-az) and holds answers of
Resource Manager against the newest that is not newer than the version asked for. `graph.py` reads Graph's metadata
(``*metadata*.xml``) and judges the types that it has. Nothing describes Entra, errors of Graph, and operations of
Resource Manager that the directory has no file for; the end of a test run counts them.
"""

import os
from pathlib import Path

SPECS = Path(os.environ["LOCAL_AZURE_SPECS"]) if os.environ.get("LOCAL_AZURE_SPECS") else None
"""Where the descriptions are; None where nobody has them."""
