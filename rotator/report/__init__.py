"""What a person or a program reads of a plan, a status and a run: pure functions from values to text and JSON.

The JSON form is one object per command: ``version`` (1), ``command``, ``exit_code``, and what the command found, mostly
under ``policies``. A field may be added without a new version; none is removed or renamed. Times are ISO 8601 in UTC.
No secret can occur: nothing that is given to these functions holds one.

Import from the modules: `plan`, `status`, `run`, `progress` (a line for each event) and `words` (the frame of the JSON
form). This package itself imports none of them, so that ``rotator validate`` loads no planner.
"""
