"""What Azure Functions looks for at the root of the deployed folder."""

from rotator.function_app import app

__all__ = ["app"]
