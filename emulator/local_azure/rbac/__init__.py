"""Azure role-based access control: rights of principals at scopes, and the delay of changes."""
