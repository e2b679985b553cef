"""Verbs, one file each: read the options, call the engine, write the report."""
