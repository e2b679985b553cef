"""Graph's operations by what they are about: each module has a table of routes."""
