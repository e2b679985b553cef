"""The verbs, one file each: options in, what the engine does, and the report out."""
