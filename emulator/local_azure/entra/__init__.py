"""Microsoft Entra's token service, limited to client credentials.

``behaviour`` issues tokens and verifies them, ``refusals`` has the AADSTS errors, ``audiences`` the resources open to
tokens, ``signing`` the signatures, ``discovery`` the discovery documents for clients, ``wire`` the HTTP.
"""
