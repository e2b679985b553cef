"""Reports of plan, status and run for people and programs: pure functions from values to text and JSON.

The JSON form is one object per command: ``version`` (1), ``command``, ``exit_code``, and the findings of the command,
mostly under ``policies``. A field may be added without a new version; none is removed or renamed. Times are ISO 8601 in
UTC. No secret can occur: no argument of these functions holds one.

Import from the modules: `plan`, `status`, `run`, `progress` (a line for each event) and `words` (the frame of the JSON
form). This package itself imports none of these modules, so that ``rotator validate`` loads no planner.
"""
