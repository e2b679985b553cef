"""Rotate the credentials used by Azure container groups to pull their images, unattended and without an outage."""

__version__ = "0.1.0"
