"""AADSTS errors of the token endpoint: number, status, OAuth error and text, for clients with branches on the words.

Source: azure-facts D2; 7000112's status is inferred.
"""

from dataclasses import dataclass

from local_azure.wire import ServiceError


@dataclass(frozen=True, slots=True)
class Refusal:
    """One AADSTS error; `text` has placeholders for details."""

    number: int
    status: int
    error: str
    text: str

    def about(self, **what: str) -> ServiceError:
        """Return the error to raise: the code is ``AADSTS<number>``, the inner code the OAuth error."""
        return ServiceError(self.status, f"AADSTS{self.number}", self.text.format(**what), inner=self.error)


INVALID_SECRET = Refusal(
    7000215,
    401,
    "invalid_client",
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the"
    " client secret ID, for a secret added to app '{app_id}'.",
)
EXPIRED_SECRET = Refusal(
    7000222,
    401,
    "invalid_client",
    "The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal to create new keys for your"
    " app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security:"
    " https://aka.ms/certCreds.",
)
NO_SECRET = Refusal(
    7000216,
    401,
    "invalid_client",
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
)
MALFORMED_ASSERTION = Refusal(50027, 400, "invalid_request", "JWT token is invalid or malformed.")
UNKNOWN_KEY = Refusal(
    700027,
    401,
    "invalid_client",
    "The certificate with identifier used to sign the client assertion is not registered on application. [Reason -"
    " {reason}, Thumbprint of key used by client: '{digest}', Please visit the Azure Portal, Graph Explorer or directly"
    " use MS Graph to see configured keys for app Id '{app_id}'. Review the documentation at"
    " https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and"
    " https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request"
    " URL, such as 'https://graph.microsoft.com/beta/applications/{object_id}'].",
)
"""Reports show the first reason, that the key was not found; the texts of the others, and of the next but one, could
not be looked up.
"""
NO_THUMBPRINT = Refusal(
    50027, 400, "invalid_request", "Invalid JWT token. No certificate thumbprint specified in token header."
)
ANOTHERS_ASSERTION = Refusal(
    700021,
    401,
    "invalid_client",
    "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation.",
)
ELSEWHERE = Refusal(
    700023,
    401,
    "invalid_client",
    "Client assertion audience claim does not match Realm issuer. Review the documentation.",
)
_FEDERATION = (
    " Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
UNKNOWN_ISSUER = Refusal(
    700211,
    401,
    "invalid_client",
    "No matching federated identity record found for presented assertion issuer '{presented}'." + _FEDERATION,
)
UNKNOWN_AUDIENCE = Refusal(
    700212,
    401,
    "invalid_client",
    "No matching federated identity record found for presented assertion audience '{presented}'." + _FEDERATION,
)
UNKNOWN_SUBJECT = Refusal(
    700213,
    401,
    "invalid_client",
    "No matching federated identity record found for presented assertion subject '{presented}'." + _FEDERATION,
)
UNKNOWN_APPLICATION = Refusal(
    700016,
    400,
    "unauthorized_client",
    "Application with identifier '{app_id}' was not found in the directory '{directory}'. This can happen if the"
    " application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
    " You may have sent your authentication request to the wrong tenant.",
)
NO_PRINCIPAL = Refusal(
    7000229,
    401,
    "invalid_client",
    "The client application {app_id} is missing service principal in the tenant {tenant}. See instructions here: "
    "https://go.microsoft.com/fwlink/?linkid=2225119",
)
DISABLED = Refusal(7000112, 400, "unauthorized_client", "Application '{app_id}'({name}) is disabled.")
UNKNOWN_TENANT = Refusal(
    90002,
    400,
    "invalid_request",
    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct"
    " cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the"
    " tenant.",
)
NO_DOMAIN = Refusal(
    900023,
    400,
    "invalid_request",
    "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
)
EMPTY_TENANT = Refusal(
    900021,
    400,
    "invalid_request",
    "Requested tenant identifier '{tenant}' is not valid. Tenant identifiers may not be an empty GUID.",
)
NO_TENANT = Refusal(
    50059,
    400,
    "invalid_request",
    "No tenant-identifying information found in either the request or implied by any provided credentials.",
)
UNKNOWN_RESOURCE = Refusal(
    500011,
    400,
    "invalid_resource",
    "The resource principal named {resource} was not found in the tenant named {directory}. This can happen if the"
    " application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
    " You might have sent your authentication request to the wrong tenant.",
)
UNEXPLAINED = frozenset({1002012})
"""Numbers that Entra sends without an ``error_uri``."""
BAD_SCOPE = Refusal(
    1002012,
    400,
    "invalid_scope",
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default"
    " suffixed to the resource identifier (application ID URI).",
)
MISSING_PARAMETER = Refusal(
    900144, 400, "invalid_request", "The request body must contain the following parameter: '{name}'."
)
UNSUPPORTED_GRANT = Refusal(
    70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."
)
POST_ONLY = Refusal(900561, 400, "invalid_request", "The endpoint only accepts POST requests. Received a GET request.")
MALFORMED = Refusal(9002313, 400, "invalid_request", "Invalid request. Request is malformed or invalid.")
UNKNOWN_INSTANCE = Refusal(50049, 400, "invalid_instance", "Unknown or invalid instance.")
