"""Microsoft Graph, as far as applications, service principals and their passwords go.

``behaviour`` is the directory and its rules, ``objects`` what it keeps, ``shape`` how that looks in JSON, ``filters`` what a query means,
``passwords`` when a password may be added, ``permissions`` who may do what, ``wire`` the HTTP.
"""
