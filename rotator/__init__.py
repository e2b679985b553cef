"""Rotates the credentials that Azure container groups use to pull their images, with no outage and nobody watching."""

__version__ = "0.1.0"
