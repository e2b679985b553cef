"""Addresses of the token endpoints of a machine with managed identities."""

HOSTS = ("169.254.169.254", "127.0.0.1", "localhost")
"""The address of IMDS in every virtual machine, and this machine."""

IMDS_PATH, APP_SERVICE_PATH = "/metadata/identity/oauth2/token", "/msi/token"
