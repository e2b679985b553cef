"""Tests of users: the recorded requests of az and the SDKs, and users as members, owners and holders of roles."""

from typing import Any

import pytest
from local_azure.rbac.behaviour import Authorization
from tenancy import ALL, Tenancy, code

USERS, GROUPS = "User.ReadWrite.All", "Group.ReadWrite.All"
UPN = "ada@contoso.onmicrosoft.com"
SHOWN = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
]


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL, USERS, GROUPS)


def asked(**changes: object) -> dict[str, object]:
    profile = {"password": "Password-1", "forceChangePasswordNextSignIn": True}
    own = {
        "userPrincipalName": UPN,
        "displayName": "Ada",
        "passwordProfile": profile,
        "mailNickname": "ada",
        "accountEnabled": True,
    }
    return {name: value for name, value in {**own, **changes}.items() if value is not None}


def made(world: Tenancy, **changes: object) -> dict[str, Any]:
    status, body, _ = world.call("POST", "/users", asked(**changes))
    assert status == 201, body
    return dict(body)


def test_a_user_is_created_read_by_id_and_name_changed_and_deleted_as_recorded(world: Tenancy) -> None:
    status, user, headers = world.call("POST", "/users", asked())
    assert (status, list(user)) == (201, ["@odata.context", "id", *SHOWN, "userPrincipalName"])
    assert headers["Location"].endswith(f"/directoryObjects/{user['id']}/Microsoft.DirectoryServices.User")
    for key in (user["id"], UPN.upper()):
        _, read, _ = world.call("GET", f"/users/{key}")
        assert list(read) == ["@odata.context", *SHOWN, "userPrincipalName", "id"]
        assert (read["id"], read["userPrincipalName"], read["businessPhones"], read["mail"]) == (
            user["id"],
            UPN,
            [],
            None,
        )
    assert (
        world.call(
            "PATCH", f"/users/{UPN}", {"displayName": "Ada Byron", "accountEnabled": False, "jobTitle": "analyst"}
        )[0]
        == 204
    )
    _, chosen, _ = world.call(
        "GET", f"/users/{UPN}?$select=displayName,accountEnabled,jobTitle,mailNickname,passwordProfile,userType"
    )
    assert list(chosen.values())[1:] == ["Ada Byron", False, "analyst", "ada", None, "Member"]
    assert world.call("DELETE", f"/users/{user['id']}")[0] == 204
    gone = world.call("GET", f"/users/{UPN}")
    assert code(gone) == (404, "Request_ResourceNotFound")
    assert f"'{UPN}'" in gone[1]["error"]["message"]


def test_users_are_listed_filtered_sorted_and_searched(world: Tenancy) -> None:
    ids = [
        made(world, displayName=name, userPrincipalName=f"{name}@contoso.onmicrosoft.com")["id"]
        for name in ("Cleo", "Ada", "Bo")
    ]
    _, listed, _ = world.call("GET", "/users")
    assert [each["id"] for each in listed["value"]] == ids
    assert list(listed["value"][0])[-1] == "id"
    for query in (
        "$filter=startswith(displayName,'ad')",
        "$filter=userPrincipalName eq 'ADA@contoso.onmicrosoft.com'",
        "$filter=accountEnabled eq true&$orderby=displayName&$count=true",
        '$search="displayName:ada"',
    ):
        status, found, _ = world.call("GET", f"/users?{query}", ConsistencyLevel="eventual")
        assert (status, found["value"][0]["displayName"]) == (200, "Ada")
    assert [
        each["displayName"] for each in world.call("GET", "/users?$orderby=userPrincipalName&$top=2")[1]["value"]
    ] == ["Ada", "Bo"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"displayName": None}, "'displayName' of resource 'User'"),
        ({"passwordProfile": None}, "'passwordProfile' of resource 'User'"),
        ({"userPrincipalName": "ada@elsewhere.example"}, "verified domain names"),
        ({"passwordProfile": {"password": "tooplain"}}, "password complexity"),
        ({"passwordProfile": {}}, "password complexity"),
        ({"favouriteColour": "blue"}, "'favouriteColour' does not exist"),
        ({"userPrincipalName": "Taken@contoso.onmicrosoft.com"}, "userPrincipalName already exists"),
    ],
)
def test_a_user_that_cannot_be_is_refused(world: Tenancy, changes: dict[str, object], words: str) -> None:
    made(world, userPrincipalName="taken@contoso.onmicrosoft.com")
    answer = world.call("POST", "/users", asked(**changes))
    assert code(answer) == (400, "Request_BadRequest")
    assert words in answer[1]["error"]["message"]


def test_a_user_is_a_member_and_an_owner_and_shown_with_no_more_than_the_usual(world: Tenancy) -> None:
    user = made(world)
    _, group, _ = world.call(
        "POST", "/groups", {"displayName": "g", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    )
    _, app, _ = world.call("POST", "/applications", {"displayName": "a"})
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{user['id']}"}
    for path in (
        f"/groups/{group['id']}/members/$ref",
        f"/groups/{group['id']}/owners/$ref",
        f"/applications/{app['id']}/owners/$ref",
    ):
        assert world.call("POST", path, reference)[0] == 204
    typed = ["@odata.type", "id", *SHOWN, "userPrincipalName"]
    for path in (
        f"/groups/{group['id']}/members",
        f"/groups/{group['id']}/owners",
        f"/applications/{app['id']}/owners",
    ):
        (one,) = world.call("GET", path)[1]["value"]
        assert (list(one), one["@odata.type"]) == (typed, "#microsoft.graph.user")
    assert world.call("GET", f"/groups/{group['id']}/members/microsoft.graph.user")[1]["value"][0]["id"] == user["id"]
    (reference,) = world.call("GET", f"/applications/{app['id']}/owners/$ref")[1]["value"]
    assert reference["@odata.id"].endswith("Microsoft.DirectoryServices.User")
    _, resolved, _ = world.call("POST", "/directoryObjects/getByIds", {"ids": [user["id"]], "types": ["user"]})
    assert list(resolved["value"][0]) == typed
    _, within, headers = world.call("POST", f"/users/{UPN}/getMemberGroups", {"securityEnabledOnly": False})
    assert (within["value"], headers["x-ms-resource-unit"]) == ([group["id"]], "2")


def test_a_deleted_user_comes_back_under_its_name_unless_that_was_taken(world: Tenancy) -> None:
    user = made(world)
    world.call("DELETE", f"/users/{UPN}")
    (listed,) = world.call("GET", "/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime")[1]["value"]
    assert listed == {"id": user["id"], "deletedDateTime": "2026-03-01T12:00:00Z"}
    other = made(world)
    assert code(world.call("POST", f"/directory/deletedItems/{user['id']}/restore")) == (400, "Request_BadRequest")
    world.call("DELETE", f"/users/{other['id']}")
    assert world.call("DELETE", f"/directory/deletedItems/{other['id']}")[0] == 204
    _, restored, _ = world.call("POST", f"/directory/deletedItems/{user['id']}/restore")
    assert (restored["@odata.type"], restored["id"]) == ("#microsoft.graph.user", user["id"])
    assert world.call("GET", f"/users/{UPN}")[0] == 200


@pytest.mark.parametrize(
    ("role", "expected"),
    [("User.Read.All", (200, 403)), ("Application.ReadWrite.All", (403, 403)), (USERS, (200, 201))],
)
def test_who_may_read_and_write_users(role: str, expected: tuple[int, int]) -> None:
    world = Tenancy(role)
    assert (world.call("GET", "/users")[0], world.call("POST", "/users", asked())[0]) == expected


def test_whoever_may_write_the_directory_may_still_delete_no_user() -> None:
    world = Tenancy("Directory.ReadWrite.All")
    user = made(world)
    for path in (f"/users/{UPN}", f"/directoryObjects/{user['id']}"):
        assert code(world.call("DELETE", path)) == (403, "Authorization_RequestDenied")
    assert world.call("PATCH", f"/users/{UPN}", {"displayName": "Ada II"})[0] == 204


def test_a_role_can_be_given_to_a_user_and_to_nobody_under_a_wrong_type(world: Tenancy) -> None:
    user = made(world)["id"]
    authorization = Authorization(
        world.clock, world.directory.ids, world.directory.timing, world.faults, world.directory
    )
    assert authorization.assign("/subscriptions/s", user, "Reader", principal_type="").principal_type == "User"
    with pytest.raises(Exception, match="UnmatchedPrincipalType"):
        authorization.assign("/subscriptions/s/resourceGroups/g", user, "Reader", principal_type="Group")
    assert authorization.granted(user, "Microsoft.KeyVault/vaults/read", "/subscriptions/s")
