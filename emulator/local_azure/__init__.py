"""A local Azure for trials, tests and simulations: only the services used by a pull credential.

Each service is a package with Azure's rules in ``behaviour`` and HTTP in ``wire``. ``azure`` builds the services over
one clock, ``services`` combines them into one application, and ``inprocess`` and ``server`` give clients access.
"""

__version__ = "0.1.0+source"
