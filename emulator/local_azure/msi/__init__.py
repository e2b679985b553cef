"""Managed identities: user-assigned ones as resources, and the local endpoints where a machine that has them gets tokens without a secret.

``behaviour`` keeps a resource and its service principal together, ``wire`` is their part of Resource Manager,
``endpoint`` the token endpoints.
"""
