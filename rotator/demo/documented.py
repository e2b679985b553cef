"""Setup of the Azure Container Instances documentation, made with Microsoft's SDKs instead of ``az``.

The SDKs are unmodified and have no special endpoint. Source: "Deploy to Azure Container Instances from Azure Container
Registry using a service principal" (learn.microsoft.com).
"""

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.polling import LROPoller
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    EnvironmentVariable,
    ImageRegistryCredential,
    ResourceRequests,
    ResourceRequirements,
)
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from local_azure.seed import LOCATION
from local_azure.seeded import Seeded
from msgraph import GraphRequestAdapter, GraphServiceClient  # type: ignore[attr-defined]
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.models.application import Application
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.service_principal import ServicePrincipal

T = TypeVar("T")

YEAR = timedelta(days=365)
"""Lifetime of a password made by ``az ad sp create-for-rbac``."""
EVERY = 0.5
"""Seconds between two looks at a group that is being created."""


@dataclass(frozen=True, slots=True)
class Made:
    """Principal with the right to pull, and the password made for it by a person."""

    app_id: str
    key_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupToCreate:
    """Container group to create: its image and its pulling principal.

    `variable`: a secure environment variable and its value.
    """

    name: str
    image: str
    pulls_as: Made
    restart_policy: str = "Always"
    variable: tuple[str, str] | None = field(default=None, repr=False)


class Admin:
    """Administrator with every right, signed in by the environment."""

    def __init__(self, seeded: Seeded) -> None:
        self._seeded = seeded
        self._credential: TokenCredential = DefaultAzureCredential()
        self._groups = ContainerInstanceManagementClient(self._credential, seeded.subscription)

    def principal(self, name: str, now: datetime) -> Made:
        """Run ``az ad sp create-for-rbac --role acrpull --scopes <registry>`` and ``az ad app owner add``, by the SDKs.

        The owner is the operator, the later user of rotator.
        """
        made, object_id = asyncio.run(self._principal(name, now))
        self._assign("AcrPull", object_id)
        return made

    async def _principal(self, name: str, now: datetime) -> tuple[Made, str]:
        async with httpx.AsyncClient() as http:
            adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(self._credential), http)
            return await self._owned(GraphServiceClient(request_adapter=adapter), name, now)

    async def _owned(self, graph: GraphServiceClient, name: str, now: datetime) -> tuple[Made, str]:
        application = _there(await graph.applications.post(Application(display_name=name)))
        principal = _there(await graph.service_principals.post(ServicePrincipal(app_id=application.app_id)))
        ours = graph.applications.by_application_id(_there(application.id))
        wanted = PasswordCredential(display_name="rbac", end_date_time=now + YEAR)
        password = _there(await ours.add_password.post(AddPasswordPostRequestBody(password_credential=wanted)))
        owner = ReferenceCreate(
            odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{self._seeded.operator.object_id}"
        )
        await ours.owners.ref.post(owner)
        await graph.service_principals.by_service_principal_id(_there(principal.id)).owners.ref.post(owner)
        return Made(_there(application.app_id), str(password.key_id), _there(password.secret_text)), _there(
            principal.id
        )

    def _assign(self, role: str, object_id: str) -> None:
        scope = self._seeded.registry_id
        client = AuthorizationManagementClient(self._credential, self._seeded.subscription)
        definition = next(iter(client.role_definitions.list(scope, filter=f"roleName eq '{role}'")))
        body = {"role_definition_id": definition.id, "principal_id": object_id, "principal_type": "ServicePrincipal"}
        client.role_assignments.create(scope, str(uuid.uuid4()), body)

    def secret(self, name: str, value: str) -> None:
        """Run ``az keyvault secret set``, by the SDK."""
        SecretClient(self._seeded.vault_url, self._credential).set_secret(name, value)

    def read(self, name: str) -> str:
        """Run ``az keyvault secret show``, by the SDK."""
        return SecretClient(self._seeded.vault_url, self._credential).get_secret(name).value or ""

    def create(self, groups: Iterable[GroupToCreate]) -> None:
        """Run ``az container create`` for each group, by the SDK. Raises HttpResponseError if Azure refuses."""
        for waiting in [self._begin(one) for one in groups]:
            waiting.result()

    def _begin(self, one: GroupToCreate) -> "LROPoller[ContainerGroup]":
        body = _group(one, self._seeded.login_server)
        return self._groups.container_groups.begin_create_or_update(
            self._seeded.resource_group, one.name, body, polling_interval=EVERY
        )

    def refused(self, one: GroupToCreate) -> bool:
        """Tell if Azure refuses to create a group because its image can't be pulled."""
        try:
            self.create([one])
        except HttpResponseError as error:
            return error.error is not None and error.error.code == "InaccessibleImage"
        return False


def _group(one: GroupToCreate, server: str) -> ContainerGroup:
    hidden = [EnvironmentVariable(name=one.variable[0], secure_value=one.variable[1])] if one.variable else []
    size = ResourceRequirements(requests=ResourceRequests(cpu=1, memory_in_gb=1.5))
    return ContainerGroup(
        location=LOCATION,
        os_type="Linux",
        restart_policy=one.restart_policy,
        containers=[Container(name="app", image=f"{server}/{one.image}", resources=size, environment_variables=hidden)],
        image_registry_credentials=[
            ImageRegistryCredential(server=server, username=one.pulls_as.app_id, password=one.pulls_as.password)
        ],
    )


def dead(made: Made, tenant: str) -> bool:
    """Tell if Entra refuses the password: AADSTS7000215, an invalid client secret."""
    try:
        ClientSecretCredential(tenant, made.app_id, made.password).get_token("https://management.azure.com/.default")
    except ClientAuthenticationError as error:
        return "AADSTS7000215" in str(error)
    return False


def _there(value: T | None) -> T:
    if value is None:
        raise LookupError("Azure answered without what the documentation promises")
    return value
