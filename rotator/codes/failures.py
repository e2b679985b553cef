"""Codes of failures that rotator finds itself: Azure gave no code of its own for them."""

from rotator.codes.explained import Explained


class FailureCode(Explained):
    """Code of an `AzureError` that rotator finds itself. The explanation names the failure, its effect and the fix."""

    NOT_SIGNED_IN = (
        "NotSignedIn",
        "rotator has no valid sign-in to Microsoft Entra ID: nothing to sign in with was found, Entra refused it, or"
        " an `AZURE_` variable can't be used. So the service was not asked.",
        "sign in, or correct the variables that the message names",
    )
    NO_SUCH_PRINCIPAL = (
        "NoSuchPrincipal",
        "The tenant has neither an application nor a service principal with the app id of the policy.",
        "correct `principal.app_id`, or sign in to the tenant that has the application",
    )
    NO_SUCH_HOME = (
        "NoSuchHome",
        "The tenant does not have the object on which the password is (`home`: the application or the service"
        " principal). So no password can be added or removed there.",
        "correct `principal.home`; `rotator provision` creates a missing service principal",
    )
    NO_SERVICE_PRINCIPAL = (
        "NoServicePrincipal",
        "The application has no service principal in this tenant, so it can't be given a role.",
        "`rotator provision` creates the service principal",
    )
    NOT_VISIBLE = (
        "NotVisible",
        "Graph has not shown the application or the service principal for two minutes, although they exist. Graph's"
        " reads may lag.",
        "run again in a few minutes",
    )
    NO_SUCH_ROLE = (
        "NoSuchRole",
        "Azure has no role of this name that can be assigned at the scope.",
        "correct `role` in the policy",
    )
    NO_SUCH_VAULT = (
        "NoSuchVault",
        "The vault was not found in the policy's subscriptions, so it is unknown if rotator may set secrets there.",
        "name the vault's subscription under `discover: {subscriptions: […]}`",
    )
    VAULT_UNREADABLE = (
        "VaultUnreadable",
        "Key Vault does not let rotator read the secret, so the run can't decide anything.",
        "do what the message says about the role or the firewall",
    )
    NO_VALUE = (
        "NoValue",
        "Key Vault answered without the value of the secret.",
        "run again; if it happens again, report it",
    )
    NO_VERSIONS = (
        "NoVersions",
        "Key Vault says that the secret with the access mark is disabled, but lists no version of the secret. So it is"
        " unknown if access is revoked.",
        "run again; Key Vault's lists may lag",
    )
    FOREIGN_ACCESS_RECORD = (
        "ForeignAccessRecord",
        "The secret in which rotator keeps the access mark was not written by rotator. rotator does not overwrite the"
        " secret.",
        "give that secret another name",
    )
    NO_DATE = (
        "NoDate",
        "No answer had a `Date` header. rotator reads the time from that header, and decides nothing without it.",
        "let the proxy pass the header on unchanged",
    )
    UNREADABLE_ANSWER = (
        "UnreadableAnswer",
        "The answer does not have its documented form, so rotator does not use it.",
        "look at the proxies between rotator and Azure; else report it with the request id",
    )
    ENDLESS_LIST = (
        "EndlessList",
        "A list had too many pages, or took too long. It may be incomplete, so rotator does not use it.",
        "run again; if it happens again, report it",
    )
    LONG_LIST = (
        "LongList",
        "A vault has so many secrets that a list of all of them takes too many pages. rotator reads the secrets of"
        " each policy"
        " instead.",
        "nothing",
    )
    FOREIGN_HOST = (
        "ForeignHost",
        "An answer led to a host that does not belong to the service. rotator sent nothing there, because the request"
        " has a token.",
        "find out what answers instead of Azure: a proxy, a name server, a registry that is not Azure's",
    )
    HELD_BACK = (
        "HeldBack",
        "A request was not sent, because Azure's limit on requests is reached for longer than the run can wait.",
        "run again later",
    )
    TOO_LATE = "TooLate", "A write was not sent, because the reads before it were too old.", "run again"
    LEASE_LOST = (
        "LeaseLost",
        "A write was not sent, because the run had lost its lease.",
        "nothing if another run works on the policy; else run again",
    )
