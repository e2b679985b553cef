"""Comparison of the emulator's answers with Azure's own API descriptions.

The descriptions are no part of this project. The environment variable LOCAL_AZURE_SPECS names a directory above them;
if set, every request of a test to an emulator in its own process is judged, and a test fails at its end for each
finding without an explanation in `deviations.py`.

`judge.py` reads swagger 2.0 (``specification/**`` of the repository Azure/azure-rest-api-specs): status, body and
request of Resource Manager, Key Vault and the registry, in the requested version, else in the newest. `types.py` reads
resource types (``types.json`` or ``bicep-types-*.json``, of Azure/bicep-types-az) and compares answers of Resource
Manager with the newest version up to the requested one. `graph.py` reads Graph's metadata (``*metadata*.xml``) and
judges its types. Entra, errors of Graph, and operations of Resource Manager without a file in the directory have no
description; the end of a test run counts them.
"""

import os
from pathlib import Path

SPECS = Path(os.environ["LOCAL_AZURE_SPECS"]) if os.environ.get("LOCAL_AZURE_SPECS") else None
"""Directory of the descriptions; None without them."""
