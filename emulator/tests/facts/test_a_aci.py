"""Tests of container groups (azure-facts A5 to A13): the life of a container group, its bounds, its quotas, and acts of
the platform.
"""

import json
from typing import Any

import pytest
from containers import BRISK, GROUP, ID, REGISTRY, SERVER, SUBSCRIPTION, World

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
STOPPED = (("currentState", "finishTime"), ("previousState", "startTime"))
LOCATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations/eastus"


@pytest.fixture
def world() -> World:
    return World(BRISK)


def test_a5_an_update_restarts_in_place_and_keeps_the_history(world: World) -> None:
    world.deploy()
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (200, "Pending")
    assert world.view()["currentState"]["state"] == "Running"
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 2), ("Pulled", 2), ("Started", 2), ("Killing", 1)]
    assert world.view()["events"][3]["message"] == "Killing container app (platform initiated)."


def test_a6_stop_ends_the_containers_and_start_deploys_as_new(world: World) -> None:
    world.deploy()
    assert world.arm("POST", f"{ID}/start").status == 204
    stopped = world.arm("POST", f"{ID}/stop")
    assert (stopped.status, "azure-asyncoperation" in stopped.headers) == (204, False)
    properties, view = world.properties(), world.view()
    assert (properties["instanceView"]["state"], properties["provisioningState"]) == ("Stopped", "Succeeded")
    assert view["currentState"]["detailStatus"] == "Container stopped per client request"
    assert (view["currentState"]["state"], view["previousState"]["state"]) == ("Terminated", "Running")
    assert set(view["currentState"]) == {"state", "finishTime", "detailStatus"}
    assert [len(view[each][name]) for each, name in STOPPED] == [len("2024-10-31T05:12:10.7524476Z"), 24]
    assert world.azure.container_groups.move_host(ID)
    started = world.arm("POST", f"{ID}/start")
    assert started.status == 202
    world.wait(seconds=20)
    assert world.arm("GET", started.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


def test_a5_a_put_on_a_stopped_group_deploys_it_as_new_even_with_another_policy(world: World) -> None:
    world.deploy()
    world.arm("POST", f"{ID}/stop")
    assert world.arm("PUT", ID, world.body(restartPolicy="Never")).status == 200
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


def test_a5_a_redeploy_of_a_finished_job_runs_it_again_and_a_move_does_not(world: World) -> None:
    world.deploy(f"{SERVER}/job:ok", restartPolicy="Never", seconds=60)
    assert world.azure.container_groups.move_host(ID)
    assert world.properties()["instanceView"]["state"] == "Succeeded"
    world.deploy(f"{SERVER}/job:ok", restartPolicy="Never", seconds=60)
    assert world.view()["currentState"]["startTime"] == "2026-03-01T12:01:20.000Z"
    assert world.arm("GET", f"{ID}/containers/app/logs").body == {"content": "one\ntwo\nthree\n"}
    assert world.arm("GET", f"{ID}/containers/app/logs?tail=1").body == {"content": "three\n"}
    assert world.arm("GET", f"{ID}/containers/none/logs").status == 404


def test_a7_a_failing_job_is_started_again_on_failure_with_back_off(world: World) -> None:
    world.deploy(f"{SERVER}/job:bad", restartPolicy="OnFailure", seconds=50)
    view = world.view()
    assert view["currentState"] == {
        "state": "Waiting",
        "detailStatus": "CrashLoopBackOff: Back-off 10s restarting failed",
    }
    assert view["previousState"]["exitCode"] == 2
    world.wait(seconds=10)
    assert world.view()["restartCount"] == 1
    world.wait(days=365)
    assert world.view()["restartCount"] > 90_000
    assert world.properties()["instanceView"]["state"] == "Running"


def test_a7_a_crash_under_always_restarts(world: World) -> None:
    world.deploy()
    world.azure.container_groups.crash(ID, "app", 137)
    assert world.view()["previousState"]["exitCode"] == 137
    world.wait(seconds=10)
    assert (world.view()["currentState"]["state"], world.view()["restartCount"]) == ("Running", 1)
    world.arm("POST", f"{ID}/stop")
    with pytest.raises(ValueError, match="not running"):
        world.azure.container_groups.crash(ID, "app")


def test_containers_wait_for_the_init_container(world: World) -> None:
    world.deploy(initContainers=[{"name": "init", "properties": {"image": "busybox"}}], seconds=60)
    properties = world.properties()
    assert properties["initContainers"][0]["properties"]["instanceView"]["currentState"]["detailStatus"] == "Completed"
    assert properties["instanceView"]["state"] == "Running"


def test_a5_what_a_put_leaves_out_goes_back_to_its_default(world: World) -> None:
    body = world.body(
        volumes=[{"name": "scratch", "emptyDir": {}}],
        ipAddress={"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]},
    )
    body["tags"] = {"team": "a"}
    assert world.arm("PUT", ID, body).status == 201
    world.wait(seconds=20)
    again = world.arm("PUT", ID, world.body())
    assert again.status == 200
    assert "azure-asyncoperation" in again.headers
    stored = world.azure.container_groups.stored(ID)
    assert (stored["tags"], stored["properties"].get("volumes"), stored["properties"].get("ipAddress")) == (
        {},
        None,
        None,
    )


def test_a10_the_hundred_and_first_put_in_five_minutes_is_throttled(world: World) -> None:
    for _ in range(100):
        world.azure.container_groups.budget.spend("put", SUBSCRIPTION)
        world.wait(seconds=1)
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TooManyRequests", "200")
    assert answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"] == "0"
    world.wait(seconds=200)
    assert world.arm("PUT", ID, world.body()).status == 201


def test_a11_a_host_move_pulls_with_the_stored_credential_and_refuses_once_it_is_dead(world: World) -> None:
    world.deploy()
    groups = world.azure.container_groups
    assert groups.move_host(ID)
    world.wait(minutes=1)
    assert world.view()["currentState"]["state"] == "Running"
    assert world.view()["previousState"]["exitCode"] == 7147
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    assert world.view()["currentState"]["state"] == "Running"
    assert not groups.move_host(ID)
    assert [(refused.username, refused.reason[:12]) for refused in groups.refused] == [
        (world.puller.app_id, "UNAUTHORIZED")
    ]
    view = world.view()
    assert view["currentState"]["state"] == "Waiting"
    assert world.properties()["instanceView"]["state"] == "Pending"
    assert ("Killing", 2) in world.events()


def test_a11_a_refused_host_tries_again_and_recovers_once_the_credential_may_pull(world: World) -> None:
    world.deploy()
    world.azure.authorization.delete(world.role.id)
    assert not world.azure.container_groups.move_host(ID)
    world.wait(seconds=75)
    failed = next(event for event in world.view()["events"] if event["name"] == "Failed")
    assert (failed["count"], failed["type"]) == (4, "Warning")
    assert failed["message"].startswith(f'Failed to pull image "{SERVER}/app@sha256:')
    assert (failed["firstTimestamp"], failed["lastTimestamp"]) == ("2026-03-01T12:00:20Z", "2026-03-01T12:01:30Z")
    assert len(world.azure.container_groups.refused) == 4
    world.azure.authorization.assign(REGISTRY, world.puller.oid, "AcrPull", at_once=True)
    world.wait(minutes=5)
    assert world.view()["currentState"]["state"] == "Running"
    assert len(world.azure.container_groups.refused) == 4


def test_a12_a_managed_identity_pulls_by_its_role(world: World) -> None:
    body = world.body(imageRegistryCredentials=[{"server": SERVER, "identity": IDENTITY}])
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    world.azure.resources.put(
        IDENTITY,
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "eastus",
        {"principalId": "0" * 32, "clientId": "c"},
    )
    assert world.arm("PUT", ID, body).code == "InaccessibleImage"
    world.azure.authorization.assign(REGISTRY, "0" * 32, "AcrPull", at_once=True)
    answer = world.arm("PUT", ID, body)
    assert answer.status == 201
    assert answer.body["identity"]["userAssignedIdentities"][IDENTITY] == {"principalId": "0" * 32, "clientId": "c"}


def test_a8_a_pull_that_fails_for_ever_fails_the_operation_after_half_an_hour_but_can_be_replaced(world: World) -> None:
    world.fault("failed_pull", argument="0")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(minutes=29)
    assert world.arm("GET", url).body["status"] == "Creating"
    world.wait(minutes=1)
    assert world.arm("GET", url).body["status"] == "Failed"
    assert world.properties()["provisioningState"] == "Failed"
    world.wait(days=30)
    assert world.properties()["instanceView"]["state"] == "Pending"
    world.deploy()
    assert world.properties()["instanceView"]["state"] == "Running"


def refusal(world: World, **properties: Any) -> tuple[int, str]:
    answer = world.arm("PUT", ID, world.body(**properties))
    assert answer.status >= 400, answer.content
    return answer.status, answer.code


def container(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {"image": "nginx", "resources": {"requests": {"cpu": 0.1, "memoryInGB": 0.1}}, **properties},
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"osType": "Windows"}, "os type"),
        ({"restartPolicy": "OnFailure"}, 'update the RestartPolicy (old "Always", new "OnFailure")'),
        ({"priority": "Spot"}, "CPU, memory or GPU"),
        ({"subnetIds": [{"id": f"{GROUP}/subnets/a"}]}, "network profile"),
        ({"containers": [container("app")]}, "CPU, memory or GPU"),
        ({"diagnostics": {"logAnalytics": {"workspaceId": "other", "workspaceKey": "k"}}}, "you must delete it first"),
        ({"diagnostics": None}, "you must delete it first"),
    ],
    ids=str,
)
def test_a5_what_a_running_group_cannot_change_a_finished_one_can(
    world: World, change: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "k"}}}
    world.deploy(**given)
    answer = world.arm("PUT", ID, world.body(**{**given, **change}))
    assert (answer.status, answer.code) == (400, "InvalidContainerGroupUpdate")
    assert words in answer.body["error"]["message"]
    world.arm("POST", f"{ID}/stop")
    assert world.arm("PUT", ID, world.body(**{**given, **change})).status == 200


def test_a9_an_azure_file_needs_its_key_and_secret_files_are_base64(world: World) -> None:
    files = {"shareName": "s", "storageAccountName": "a"}
    assert refusal(world, volumes=[{"name": "files", "azureFile": files}]) == (400, "InvalidAzureFileVolume")
    assert refusal(world, volumes=[{"name": "files", "secret": {"a": "no base64!"}}]) == (400, "InvalidSecretVolume")
    volumes = [
        {"name": "files", "azureFile": {**files, "storageAccountKey": "k"}},
        {"name": "secrets", "secret": {"a": "eA=="}},
    ]
    volumes += [
        {"name": "code", "gitRepo": {"repository": "https://x", "directory": "."}},
        {"name": "scratch", "emptyDir": {}},
    ]
    mounts = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"} for volume in volumes]
    body = world.body(volumes=volumes)
    body["properties"]["containers"][0]["properties"]["volumeMounts"] = mounts
    assert world.arm("PUT", ID, body).status == 201
    assert world.properties()["containers"][0]["properties"]["volumeMounts"] == mounts


BOUNDS: dict[str, dict[str, Any]] = {
    "ContainersLimitExceeded": {"containers": [container(f"c{number}") for number in range(61)]},
    "VolumesLimitExceeded": {"volumes": [{"name": f"volume{number}", "emptyDir": {}} for number in range(21)]},
    "IpAddressPortsLimitExceeded": {
        "ipAddress": {"type": "Public", "ports": [{"port": port} for port in range(80, 86)]}
    },
    "MissingIpAddressPorts": {"ipAddress": {"type": "Public", "ports": []}},
    "IpAddressPortsNotUsed": {
        "ipAddress": {"type": "Public", "ports": [{"port": 81}]},
        "containers": [container("one", ports=[{"port": 80}])],
    },
    "DuplicateContainers": {"containers": [container("app"), container("app")]},
    "DuplicateVolumes": {"volumes": [{"name": "scratch", "emptyDir": {}}] * 2},
    "DuplicatePorts": {
        "containers": [
            container("one", ports=[{"port": 80}]),
            container("two", ports=[{"port": 80, "protocol": "tcp"}]),
        ]
    },
    "InvalidPort": {"containers": [container("one", ports=[{"port": 70000}])]},
    "InvalidContainerName": {"initContainers": [{"name": "No", "properties": {"image": "busybox"}}]},
    "InvalidVolumeName": {"volumes": [{"name": "No", "emptyDir": {}}]},
    "InvalidVolumeType": {"volumes": [{"name": "two", "emptyDir": {}, "secret": {}}]},
    "InvalidGitRepoDirectory": {
        "volumes": [{"name": "git", "gitRepo": {"repository": "https://x", "directory": "../x"}}]
    },
    "VolumeMountNotFound": {"containers": [container("one", volumeMounts=[{"name": "none", "mountPath": "/x"}])]},
    "InvalidVolumeMountPath": {
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "containers": [container("one", volumeMounts=[{"name": "scratch", "mountPath": "/x:y"}])],
    },
    "DuplicateVolumeMounts": {
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "containers": [container("one", volumeMounts=[{"name": "scratch", "mountPath": "/x"}] * 2)],
    },
    "InvalidContainerProbe": {
        "containers": [container("one", livenessProbe={"exec": {"command": ["x"]}, "httpGet": {"port": 80}})]
    },
    "InvalidDnsNameLabel": {"ipAddress": {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "node"}},
    "InvalidIpAddressTypeForNetworkProfile": {
        "ipAddress": {"type": "Public", "ports": [{"port": 80}]},
        "subnetIds": [{"id": f"{GROUP}/subnets/a"}],
    },
    "ResourceLimitsLessThanRequests": {
        "containers": [
            container("one", resources={"requests": {"cpu": 2, "memoryInGB": 1}, "limits": {"cpu": 1, "memoryInGB": 1}})
        ]
    },
    "InvalidResourceRequests": {"containers": [container("one", resources={"requests": {"cpu": -1, "memoryInGB": 1}})]},
}


@pytest.mark.parametrize("code", BOUNDS)
def test_a10_a_group_beyond_a_bound_is_refused(world: World, code: str) -> None:
    assert refusal(world, **BOUNDS[code]) == (400, code)


@pytest.mark.parametrize("port", [22, 1026, 3389, 3399, 9999, 19000, 19080, 19390, 19100, 20000, 30000, 49152, 65534])
def test_a11_ports_to_avoid_are_accepted(world: World, port: int) -> None:
    answer = world.arm("PUT", ID, world.body(ipAddress={"type": "Public", "ports": [{"port": port}]}))
    assert (answer.status, answer.body["properties"]["ipAddress"]["ports"]) == (201, [{"port": port}])


def test_a10_sixty_containers_share_what_a_region_offers(world: World) -> None:
    assert world.arm("PUT", ID, world.body(containers=[container(f"c{number}") for number in range(60)])).status == 201
    answer = world.arm(
        "PUT",
        f"{ID}2",
        world.body(containers=[container("big", resources={"requests": {"cpu": 40, "memoryInGB": 300}})]),
    )
    assert (answer.status, answer.code) == (409, "ServiceUnavailable")
    assert "Resource requested: '40' CPU '300' GB memory 'Linux' OS" in answer.body["error"]["message"]
    gpu = {"requests": {"cpu": 1, "memoryInGB": 1, "gpu": {"count": 1, "sku": "K80"}}}
    assert (
        world.arm("PUT", f"{ID}2", world.body(containers=[container("old", resources=gpu)])).code
        == "ServiceUnavailable"
    )


def test_a10_the_quota_of_groups_is_counted_by_region_and_can_be_raised(world: World) -> None:
    quotas = world.azure.container_groups.quotas
    quotas.allow(SUBSCRIPTION, "eastus", "ContainerGroups", 1)
    world.deploy()
    answer = world.arm("PUT", f"{ID}2", world.body())
    assert (answer.status, answer.code) == (409, "ServiceUnavailable")
    assert (
        "quota 'ContainerGroups' exceeded in region 'eastus'. Limit: '1', Usage: '1' Requested: '1'."
        in answer.body["error"]["message"]
    )
    assert world.arm("PUT", f"{ID}2", {**world.body(), "location": "westus"}).status == 201
    assert world.arm("PUT", ID, world.body()).status == 200
    quotas.allow(SUBSCRIPTION, "eastus", "ContainerGroups", 2)
    assert world.arm("PUT", f"{ID}3", world.body()).status == 201
    with pytest.raises(KeyError):
        quotas.allow(SUBSCRIPTION, "eastus", "Bananas", 2)


def test_a10_cores_have_a_quota_that_stopped_groups_do_not_use(world: World) -> None:
    world.azure.container_groups.quotas.allow(SUBSCRIPTION, "eastus", "StandardCores", 1)
    world.deploy()
    usages = {
        entry["name"]["value"]: (entry["currentValue"], entry["limit"])
        for entry in world.arm("GET", f"{LOCATION}/usages").body["value"]
    }
    assert (usages["ContainerGroups"], usages["StandardCores"], usages["StandardV100Cores"]) == (
        (1, 100),
        (1, 1),
        (0, 0),
    )
    answer = world.arm("PUT", f"{ID}2", world.body())
    assert (answer.status, answer.code) == (400, "ContainerGroupQuotaReached")
    assert (
        "'StandardCores' exceeded in region 'eastus'. Limit: '1', Usage: '1' Requested: '1'."
        in answer.body["error"]["message"]
    )
    assert world.arm("PUT", f"{ID}2", world.body(priority="Spot")).status == 201
    world.arm("POST", f"{ID}/stop")
    assert world.arm("PUT", f"{ID}3", world.body()).status == 201


def test_a10_a_confidential_group_has_quotas_of_its_own(world: World) -> None:
    assert world.arm("PUT", ID, world.body(sku="Confidential", confidentialComputeProperties={})).status == 201
    rows = {each["name"]["value"]: each for each in world.arm("GET", f"{LOCATION}/usages").body["value"]}
    used = {name: row["currentValue"] for name, row in rows.items() if row["currentValue"]}
    assert used == {"ConfidentialContainerGroups": 1, "ConfidentialCores": 1}
    cores = rows["ConfidentialCores"]
    assert (cores["id"].rsplit("/", 1)[1], cores["name"]["localizedValue"]) == ("confidentialCores", "Dedicated Cores")


def test_a10_deletions_have_a_budget_of_their_own(world: World) -> None:
    for _ in range(100):
        world.azure.container_groups.budget.spend("delete", SUBSCRIPTION)
    answer = world.arm("DELETE", ID)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TooManyRequests", "300")
    assert (
        world.arm("PUT", ID, world.body()).headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt1h"]
        == "299"
    )


def test_a10_a_running_containers_log_keeps_four_megabytes_and_an_ended_ones_sixteen_kilobytes(world: World) -> None:
    line = "x" * 63 + "\n"
    world.azure.registries.push(SERVER, "job", "chatty", exit_code=0, run_seconds=30, logs=line * 70_000)
    world.azure.registries.push(SERVER, "job", "terse", exit_code=0, run_seconds=30, logs="y\n" * 2_000)
    world.deploy(f"{SERVER}/job:chatty", restartPolicy="Never")
    assert len(world.arm("GET", f"{ID}/containers/app/logs").body["content"]) == 4 * 2**20
    world.wait(seconds=30)
    assert len(world.arm("GET", f"{ID}/containers/app/logs").body["content"]) == 16 * 2**10
    world.deploy(f"{SERVER}/job:terse", restartPolicy="Never", seconds=60)
    assert world.arm("GET", f"{ID}/containers/app/logs").body["content"].count("y") == 1000
    stamped = world.arm("GET", f"{ID}/containers/app/logs?tail=1&timestamps=true").body["content"]
    assert stamped == "2026-03-01T12:01:10.0000000Z y\n"
    assert world.arm("GET", f"{ID}/containers/app/logs?tail=few").status == 400


def test_a10_a_region_says_what_it_offers(world: World) -> None:
    offered = world.arm("GET", f"{LOCATION}/capabilities").body["value"]
    assert [
        (each["osType"], each["ipAddressType"], each["gpu"], each["capabilities"]["maxCpu"]) for each in offered
    ] == [
        ("NotSpecified", "Public", "None", 32),
        ("NotSpecified", "Private", "None", 32),
        ("Linux", "Public", "V100", 24),
    ]
    assert not any(
        entry["gpu"] == "V100"
        for entry in world.arm("GET", LOCATION.replace("eastus", "Poland Central") + "/capabilities").body["value"]
    )
    cached = world.arm("GET", f"{LOCATION}/cachedImages").body["value"]
    assert (len(cached), cached[0]["image"]) == (42, "mcr.microsoft.com/powershell:nanoserver-1809")
    assert world.arm("GET", f"{LOCATION}/usages", who=world.puller).code == "AuthorizationFailed"
    listed = world.arm("GET", "/providers/Microsoft.ContainerInstance/operations").body["value"]
    assert "Microsoft.ContainerInstance/containerGroups/write" in {entry["name"] for entry in listed}


def test_a10_a_dns_label_is_one_groups_in_a_region_unless_its_scope_makes_it_unique(world: World) -> None:
    address = {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "aci-demo"}
    world.deploy(ipAddress=address)
    taken = world.arm("PUT", f"{ID}2", world.body(ipAddress=address))
    assert taken.body["error"] == {
        "code": "DnsNameLabelNotAvailable",
        "message": (
            "The DNS name label 'aci-demo' in container group 'mycontainer2' not available. Try using a different"
            " label."
        ),
    }
    unique = {**address, "autoGeneratedDomainNameLabelScope": "tenantreuse"}
    made = world.arm("PUT", f"{ID}2", world.body(ipAddress=unique)).body["properties"]["ipAddress"]
    assert made["autoGeneratedDomainNameLabelScope"] == "TenantReuse"
    assert made["fqdn"] != "aci-demo.eastus.azurecontainer.io"
    assert world.arm("PUT", ID, world.body(ipAddress=address)).status == 200
    assert world.arm("PUT", f"{ID}3", {**world.body(ipAddress=address), "location": "westus"}).status == 201


def test_a8_a_failed_liveness_probe_has_the_container_killed_and_recreated(world: World) -> None:
    body = world.body()
    body["properties"]["containers"][0]["properties"] |= {
        "livenessProbe": {"exec": {"command": ["cat", "/tmp/healthy"]}, "periodSeconds": 5, "failureThreshold": 2},
        "readinessProbe": {"httpGet": {"port": 80, "scheme": "HTTP"}},
    }
    assert (
        world.arm("PUT", ID, body).body["properties"]["containers"][0]["properties"]["readinessProbe"]["httpGet"][
            "scheme"
        ]
        == "http"
    )
    groups = world.azure.container_groups
    with pytest.raises(ValueError, match="pulling"):
        groups.fail_probe(ID, "app")
    world.wait(seconds=20)
    groups.fail_probe(ID, "app", "readiness")
    assert (world.view()["currentState"]["state"], world.events()[-1]) == ("Running", ("Unhealthy", 3))
    groups.fail_probe(ID, "app")
    assert ("Unhealthy", 2) in world.events()
    assert (world.view()["currentState"]["state"], world.view()["previousState"]["exitCode"]) == ("Waiting", 137)
    world.wait(seconds=10)
    assert (world.view()["currentState"]["state"], world.view()["restartCount"]) == ("Running", 1)


def init(name: str, tag: str) -> dict[str, Any]:
    return {"name": name, "properties": {"image": f"{SERVER}/job:{tag}"}}


def test_a8_init_containers_run_one_after_another_before_the_others(world: World) -> None:
    world.deploy(initContainers=[init("first", "ok"), init("second", "ok")], seconds=51)
    views = [each["properties"]["instanceView"] for each in world.properties()["initContainers"]]
    assert [view["currentState"]["state"] for view in views] == ["Terminated", "Running"]
    assert world.properties()["instanceView"]["state"] == "Pending"
    world.wait(seconds=40)
    assert world.properties()["instanceView"]["state"] == "Running"


@pytest.mark.parametrize(("policy", "state"), [("Never", "Failed"), ("OnFailure", "Pending")])
def test_a8_a_failing_init_container_keeps_the_others_from_starting(world: World, policy: str, state: str) -> None:
    world.deploy(initContainers=[init("first", "bad"), init("second", "ok")], restartPolicy=policy, seconds=55)
    properties = world.properties()
    assert properties["instanceView"]["state"] == state
    assert "Started" not in json.dumps(properties["containers"])
    assert (
        properties["initContainers"][0]["properties"]["instanceView"]["events"][-1]["message"]
        == "Container first terminated with ExitCode 2."
    )


def test_a12_an_identity_that_pulls_must_exist_be_user_assigned_and_be_the_groups(world: World) -> None:
    entry = {"server": SERVER, "identity": IDENTITY}
    assert refusal(world, imageRegistryCredentials=[entry]) == (400, "InvalidImageRegistryIdentity")
    assert refusal(world, imageRegistryCredentials=[{**entry, "identity": "system"}]) == (
        400,
        "InvalidImageRegistryCredentialType",
    )
    body = {
        **world.body(imageRegistryCredentials=[entry]),
        "identity": {"type": "userassigned", "userAssignedIdentities": {IDENTITY: {}}},
    }
    answer = world.arm("PUT", ID, body)
    assert (answer.status, answer.code) == (400, "FailedIdentityOperation")
    assert f"Resource '{IDENTITY}' was not found." in answer.body["error"]["message"]


def test_a4_a_trusted_identity_passes_a_closed_firewall_and_a_password_does_not(world: World) -> None:
    world.azure.resources.put(
        IDENTITY,
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "eastus",
        {"principalId": "0" * 32, "clientId": "c"},
    )
    world.azure.authorization.assign(REGISTRY, "0" * 32, "AcrPull", at_once=True)
    registry = world.azure.resources.get(REGISTRY)
    assert registry is not None
    registry.properties["publicNetworkAccess"] = "Disabled"
    assert refusal(world) == (400, "InaccessibleImage")
    body = world.body(imageRegistryCredentials=[{"server": SERVER, "identity": IDENTITY}])
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    assert world.arm("PUT", ID, body).status == 201
    registry.properties["networkRuleBypassOptions"] = "None"
    assert not world.azure.container_groups.could_pull(ID)


def test_a13_ngroups_answer_501_by_name(world: World) -> None:
    base = f"{GROUP}/providers/Microsoft.ContainerInstance/ngroups"
    answers = [world.arm("GET", base), world.arm("PUT", f"{base}/n", {}), world.arm("POST", f"{base}/n/start")]
    assert {(answer.status, answer.code) for answer in answers} == {(501, "NotImplemented")}
    assert all("aci.nGroups" in answer.body["error"]["message"] for answer in answers)


PROFILES = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroupProfiles"


def test_a13_a_profile_is_kept_in_every_revision(world: World) -> None:
    first = world.arm("PUT", f"{PROFILES}/p", world.body())
    assert (first.status, first.body["properties"]["revision"], first.body["type"]) == (
        201,
        1,
        "Microsoft.ContainerInstance/containerGroupProfiles",
    )
    assert first.body["properties"]["imageRegistryCredentials"][0] == {
        "server": SERVER,
        "username": world.puller.app_id,
        "isDelegatedIdentity": False,
    }
    assert "configMap" not in first.body["properties"]["containers"][0]["properties"]
    second = world.arm("PUT", f"{PROFILES}/P", world.body(restartPolicy="Never"))
    assert (second.status, second.body["properties"]["revision"]) == (200, 2)
    assert not {"sku", "registeredRevisions"} & set(second.body["properties"])
    assert "restartPolicy" not in world.arm("GET", f"{PROFILES}/p/revisions/1").body["properties"]
    assert world.arm("GET", f"{PROFILES}/p").body["properties"]["restartPolicy"] == "Never"
    assert [each["properties"]["revision"] for each in world.arm("GET", f"{PROFILES}/p/revisions").body["value"]] == [
        1,
        2,
    ]
    assert world.arm("GET", f"{PROFILES}/p/revisions/3").status == 404
    assert world.arm("PATCH", f"{PROFILES}/p", {"tags": {"a": "1"}}).body["tags"] == {"a": "1"}
    listed = [
        world.arm("GET", path).body["value"]
        for path in (PROFILES, PROFILES.replace("/resourceGroups/myResourceGroup", ""))
    ]
    assert [[each["name"] for each in found] for found in listed] == [["p"], ["p"]]
    assert world.arm("GET", f"{PROFILES}/p", who=world.puller).code == "AuthorizationFailed"
    assert [world.arm("DELETE", f"{PROFILES}/p").status for _ in range(2)] == [200, 204]
    assert world.arm("GET", f"{PROFILES}/p").status == 404
    assert world.arm("PUT", f"{PROFILES}/q", world.body(osType=None)).code == "InvalidOsType"
    portless = world.arm("PUT", f"{PROFILES}/r", world.body(ipAddress={"type": "Public"}))
    assert (portless.status, portless.body["properties"]["ipAddress"]) == (201, {"type": "Public"})
    assert world.arm("PATCH", f"{PROFILES}/q", {"tags": 1}).status == 400


def from_profile(world: World, **more: Any) -> dict[str, Any]:
    """Return a body with the first revision of profile `p`, and no operating system."""
    profile = {"containerGroupProfile": {"id": f"{PROFILES}/p", "revision": 1}}
    return {"location": "eastus", "tags": {"a": 1}, "properties": {**profile, **more}}


def test_a13_a_group_from_a_profile_has_what_the_profile_says(world: World) -> None:
    version = f"https://management.azure.com{ID}?api-version=2024-05-01-preview"
    absent = world.arm("PUT", version, from_profile(world))
    assert (absent.status, absent.code) == (404, "ContainerGroupProfileNotFound")
    world.arm("PUT", f"{PROFILES}/p", world.body())
    configured = {"configMap": {"keyValuePairs": {"KEY": "value"}}}
    made = world.arm("PUT", version, from_profile(world, containers=[{"name": "app", "properties": configured}]))
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Pending")
    world.wait(seconds=20)
    properties = world.properties()
    assert (properties["osType"], properties["provisioningState"]) == ("Linux", "Succeeded")
    assert properties["containers"][0]["properties"]["configMap"] == configured["configMap"]
    assert world.azure.container_groups.could_pull(ID)


@pytest.mark.parametrize("known", [True, False])
def test_a13_a_group_of_a_standby_pool_runs_at_once(world: World, known: bool) -> None:
    if known:
        world.arm("PUT", f"{PROFILES}/p", world.body())
    pool = {"id": f"{GROUP}/providers/Microsoft.StandbyPool/standbyContainerGroupPools/pool"}
    given = {"configMap": {"keyValuePairs": {"KEY": "value"}}}
    entry = {"name": "web", "properties": given}
    version = f"https://management.azure.com{ID}?api-version=2024-05-01-preview"
    larger = [{"name": "web", "properties": {**given, "image": "web"}}]
    refused = world.arm("PUT", version, from_profile(world, containers=larger, standbyPoolProfile=pool))
    assert (refused.status, refused.code) == (400, "BadRequest")
    made = world.arm("PUT", version, from_profile(world, containers=[entry], standbyPoolProfile=pool))
    properties = made.body["properties"]
    assert (made.status, made.body["tags"], properties["isCreatedFromStandbyPool"]) == (201, {"a": "1"}, True)
    assert (properties["provisioningState"], properties["instanceView"]["state"]) == ("Succeeded", "Running")
    assert [each["name"] for each in properties["containers"]] == ["app" if known else "web"]
    assert ("standbyPoolProfile" in properties, properties["containerGroupProfile"]["revision"]) == (False, 1)
    operation = world.arm("GET", made.headers["azure-asyncoperation"]).body
    assert (operation["status"], "properties" in operation) == ("Succeeded", False)
    listed = world.arm("GET", version.replace(f"/{ID.rsplit('/', 1)[1]}", "")).body["value"][0]["properties"]
    assert listed["isCreatedFromStandbyPool"] is True


def test_a12_a_system_assigned_identity_is_a_principal_that_can_be_given_roles_and_goes_with_its_group(
    world: World,
) -> None:
    body = {**world.body(), "identity": {"type": "SystemAssigned"}}
    refused = world.arm("PUT", ID, {**world.body(secret="wrong"), "identity": {"type": "SystemAssigned"}})
    assert refused.code == "InaccessibleImage"
    before = len(world.azure.directory.state.principals)
    identity = world.arm("PUT", ID, body).body["identity"]
    given = world.azure.authorization.assign(REGISTRY, identity["principalId"], "AcrPull")
    assert given.principal_id == identity["principalId"]
    world.wait(seconds=20)
    assert world.arm("PUT", ID, body).body["identity"] == identity
    assert len(world.azure.directory.state.principals) == before + 1
    world.wait(seconds=20)
    assert "identity" not in world.arm("PUT", ID, world.body()).body
    assert len(world.azure.directory.state.principals) == before
    world.wait(seconds=20)
    identity = world.arm("PUT", ID, body).body["identity"]
    world.arm("DELETE", ID)
    assert world.azure.directory.principal_by_id(identity["principalId"]) is None


def test_a6_a_group_that_gets_an_address_later_has_one(world: World) -> None:
    world.deploy()
    assert world.azure.container_groups.state.groups[ID.lower()].ip == ""
    world.deploy(ipAddress={"type": "Public", "ports": [{"port": 80}]})
    assert world.properties()["ipAddress"]["ip"]
