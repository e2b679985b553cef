"""Microsoft Graph: applications, service principals, groups, users and their permissions.

``behaviour`` is the directory and its rules; ``groups``, ``users``, ``grants``, ``delegated``, ``policies``,
``passwords`` and ``deleted`` are parts of the directory. ``records`` finds and keeps the objects for all parts,
``objects`` defines the objects, ``known`` the objects present in every tenant. ``reading`` builds the results of reads,
``queries`` and ``expressions`` parse the query options, ``shape`` turns objects into JSON. ``wire`` is the HTTP, over
the tables in ``routes``; ``access`` and ``permissions`` check the caller's permissions, ``budget`` the throttling
limits.
"""
