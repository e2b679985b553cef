"""The documentation as one site with a search, by `make site`: the pages as the repository has them, unchanged."""

from rotator import __version__

project = "rotator"
author = "the rotator authors"
release = version = __version__
extensions = ["myst_parser", "sphinx_external_toc"]
external_toc_path = "site/toc.yml"  # from the top of the repository
include_patterns = ["*.md", "docs/*.md", "docs/adr/*.md", "emulator/*.md", "emulator/docs/*.md"]
exclude_patterns = [".*", "build", "dist", "site", "rotator", "tests", "emulator/local_azure", "emulator/tests"]
myst_heading_anchors = 4  # as the pages refer to them
smartquotes = False
suppress_warnings = [
    "misc.highlighting_failure",  # Bicep, and Terraform with values left out, are shown without colours
    "myst.header",  # in the command reference, only commands have headings of the second level
]
html_theme = "furo"
html_title = f"rotator {release}"
html_copy_source = False
html_show_sphinx = False
