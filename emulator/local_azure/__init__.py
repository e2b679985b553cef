"""A local Azure to try, test and simulate against: the services that a pull credential passes through, and nothing else.

Each service is a package with Azure's rules in ``behaviour`` and its HTTP in ``wire``; ``azure`` builds them over one
clock, ``services`` puts them behind one door, ``inprocess`` and ``server`` open it.
"""

__version__ = "0.1.0+source"
