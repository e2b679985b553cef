"""Notices of a command or an invocation: the end of each policy's run, sent to the receivers in the settings.

Rules for editors of this package:

1. `rotator.report` writes the text of a notice, `rotator.notify` delivers it; this package only connects the two.
2. A failed notification is a warning in the log. It never changes an exit code, fails an invocation, or keeps a report
   back.
3. Clock, connections and time come from the caller as a `Connections`.
"""

from rotator.notices.addresses import Connections
from rotator.notices.endings import Endings
from rotator.notices.sender import Sender
from rotator.notices.telling import LeftOut, Notices
from rotator.notify.delivered import LIST

__all__ = ["LIST", "Connections", "Endings", "LeftOut", "Notices", "Sender"]
