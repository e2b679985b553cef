"""Managed identities: user-assigned identities as resources, and the local token endpoints of a machine.

``behaviour`` keeps a resource and the resource's service principal together, ``wire`` is the part in Resource Manager,
``endpoint`` has the token endpoints (tokens without a secret).
"""
