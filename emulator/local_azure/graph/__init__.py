"""Microsoft Graph, as far as applications, service principals, groups and what they may do go.

``behaviour`` is the directory and its rules; ``groups``, ``users``, ``grants``, ``delegated``, ``policies``,
``passwords`` and ``deleted`` are parts of it. ``records`` finds and keeps the objects for all of them, ``objects`` says
what these are, ``known`` what every tenant has. ``reading`` is what reads show, ``queries`` and ``expressions`` what
their options mean, ``shape`` how objects look in JSON. ``wire`` is the HTTP, over the tables in ``routes``; ``access``
and ``permissions`` say who may do what, ``budget`` how much of it.
"""
