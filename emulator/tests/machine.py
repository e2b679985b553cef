"""A program on a machine with a managed identity: azure-identity, with no endpoint, only the environment.

Run by test_server.
"""

import asyncio
import json
import sys

import jwt
from azure.identity import DefaultAzureCredential
from azure.identity.aio import DefaultAzureCredential as AsyncCredential

SCOPE = "https://management.azure.com/.default"


def who(token: str) -> str:
    """Return the object id in a token."""
    return str(jwt.decode(token, options={"verify_signature": False})["oid"])


async def asynchronous() -> str:
    """Sign in by the asynchronous credential; return the identity's object id."""
    async with AsyncCredential() as credential:
        return who((await credential.get_token(SCOPE)).token)


if __name__ == "__main__":
    sys.stdout.write(json.dumps([who(DefaultAzureCredential().get_token(SCOPE).token), asyncio.run(asynchronous())]))
