"""Microsoft Graph, as far as applications, service principals, groups and what they may do go.

``behaviour`` is the directory and its rules; ``groups``, ``grants``, ``policies``, ``passwords`` and ``deleted`` are parts of it, ``objects`` what
it keeps, ``known`` what every tenant has. ``reading`` is what reads show of it, ``queries`` and ``expressions`` what their options mean, ``shape``
how objects look in JSON. ``wire`` is the HTTP, over the tables in ``routes``; ``access`` and ``permissions`` say who may do what, ``budget`` how
much of it.
"""
