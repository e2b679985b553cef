"""Microsoft Entra's token service, as far as client credentials go.

``behaviour`` decides who gets a token and who holds a valid one, ``refusals`` has the AADSTS errors, ``audiences`` the
resources that a token can be for, ``signing`` the signatures, ``discovery`` the documents that clients find it by,
``wire`` the HTTP.
"""
