"""Azure role-based access control: who may do what, at which scope, and how long a change takes to be felt."""
