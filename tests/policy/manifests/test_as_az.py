"""Tests of YAML manifests, read as by `az container create --file`: equal bodies, or a mistake where az fails."""

import copy
from typing import Any

import pytest

from rotator.container_group.put_properties import writable
from rotator.policy.manifest_file import Read
from rotator.resource_id import ArmId
from tests.container_group.documents import APP_ID, PASSWORD, group_id
from tests.container_group.test_manifest import deployed
from tests.policy.manifests import az, corpus

EACH = 30


def read(text: str, name: str = "web") -> tuple[dict[str, Any] | None, list[str]]:
    """Return the body of the PUT, and the mistakes as a person sees them."""
    found = Read.of(text, "m.yaml")
    made, own = found.manifest(ArmId(group_id(name)))
    body = dict(copy.deepcopy(made.document)) if made else None
    for unsent in ("name", "type", "apiVersion"):
        (body or {}).pop(unsent, None)
    return body, [str(one) for one in (*found.mistakes, *own)]


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(100, 120))])
@pytest.mark.parametrize("kind", corpus.KINDS, ids=lambda kind: kind.__name__)
def test_the_body_is_the_one_that_az_sends(kind: Any, seed: int) -> None:
    listed = [(name, text) for name, text in corpus.documents(seed, EACH, "web") if name.startswith(kind.__name__)]
    assert len({text for _, text in listed}) >= 20
    for name, text in listed:
        body, mistakes = read(text)
        assert (name, mistakes) == (name, []), text
        assert body == az.body(text), f"{name}\n{text}"


@pytest.mark.parametrize("kind", corpus.KINDS, ids=lambda kind: kind.__name__)
def test_so_is_the_put_with_the_password_and_the_tags_in_it(kind: Any) -> None:
    """Check that properties written by Azure alone are left out, and a plain identity is written as Azure shows it."""
    for name, text in corpus.documents(11, 4, "nightly"):
        if name.startswith(kind.__name__):
            made, _ = Read.of(text, "m.yaml").manifest(ArmId(group_id("nightly")))
            assert made
            sent = deployed(dict(made.document))
            tags = {tag: sent["tags"].pop(tag) for tag in ("rotator-key-id", "rotator-since")}
            assert tags["rotator-key-id"]
            filled = text.replace("${{ credential:username }}", APP_ID)
            expected = az.body(filled.replace("${{ credential:password }}", PASSWORD.reveal())) or {}
            assert sent == {"tags": {}, **writable(expected)}, f"{name}\n{text}"


def test_the_scalars_that_people_trip_over_are_these() -> None:
    text = (
        "name: web\nlocation: westeurope\n"
        "tags: {release: 1.10, build: 20240117, prod: true, on: y, commit: 7e38291, at: 2024-01-17, utc: 2024-01-17T10:00:00Z}\n"
        "properties:\n  containers:\n  - name: app\n    properties:\n"
        "      command: [python, --lr, 1e-4, --fp16, y, 1e3, 1.5e3, 5e2, 7e38291, n, Y, N, 022, +01:00, 1:30, yes, off, 1_000, 0x10, .5, -.5]\n"
    )
    body, mistakes = read(text)
    assert mistakes == []
    assert body == {
        "location": "westeurope",
        "tags": {
            "release": "1.1",
            "build": "20240117",
            "prod": "True",
            "True": "y",
            "commit": "7e38291",
            "at": "2024-01-17",
            "utc": "2024-01-17 10:00:00+00:00",
        },
        "properties": {
            "containers": [
                {
                    "name": "app",
                    "properties": {
                        "command": [
                            *("python", "--lr", "1e-4", "--fp16", "y", "1e3", "1.5e3", "5e2", "7e38291", "n", "Y", "N"),
                            *(18, "+01:00", 90, True, False, 1000, 16, 0.5, "-.5"),
                        ]
                    },
                }
            ]
        },
    }


@pytest.mark.parametrize("value", corpus.SCALARS)
def test_each_scalar_is_what_az_takes_it_for(value: str) -> None:
    text = f"name: web\nlocation: westeurope\nproperties:\n  containers: [{{name: app}}]\n  x:\n  - {value}\n  - {{k: {value} }}\n"
    body, mistakes = read(text)
    assert (body, mistakes) == (az.body(text), [])


@pytest.mark.parametrize("value", corpus.UNSENT)
def test_what_az_cannot_send_is_a_mistake_at_its_place(value: str) -> None:
    text = f"name: web\nlocation: westeurope\nproperties:\n  containers: [{{name: app}}]\n  x: {value}\n"
    assert az.body(text) is None
    body, (mistake,) = read(text)
    assert body is None
    assert mistake.startswith(("m.yaml:5:6: properties.x", "m.yaml:5:7: properties.x[0]"))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: &a {<<: *a}\n", 1, "that contain themselves"),
        ("a: &a {<<: [*a, *a, *a]}\n", 1, "that contain themselves"),
        ("a: {<<: 1}\n", 1, "a merge (<<) of a value that is not a mapping"),
        ("a: {<<: [x]}\n", 1, "a merge (<<) of a value that is not a mapping"),
        ("a: &a [*a]\n", 1, "an alias that contains itself"),
        ("? [a, b]\n: 1\n", 1, "a key that isn't a text"),
        ("? {a: 1}\n: 1\n", 1, "a key that isn't a text"),
        ("a: &x 1\nb: &x 2\n", 2, "an anchor name that is used twice"),
        ("a: !x {b: 1}\n", 1, "a YAML tag"),
        ("a: *nowhere\n", 1, "not YAML: found undefined alias"),
        ("a: 1\n---\nb: 1\n", 2, "a second document"),
        ("2024-13-45: 1\n", 1, "not a valid date"),
    ],
)
def test_what_az_cannot_read_is_a_mistake_at_its_place(text: str, line: int, word: str) -> None:
    _, mistakes = read(text)
    assert [one for one in mistakes if one.startswith(f"m.yaml:{line}:") and word in one], mistakes


def test_merges_of_merges_are_counted_before_they_are_made() -> None:
    levels = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12))
    _, mistakes = read(f"a0: &a0 {{a: 1, b: 2, c: 3}}\n{levels}")
    assert [one for one in mistakes if "merges (<<) that repeat too many values" in one]
    chain = "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 300))
    _, mistakes = read(f"x-list: &a0 {{a: 1}}\n{chain}")
    assert [one for one in mistakes if "repeat too many" in one]
    hidden = "".join(f"  - &b{n} {{<<: *b{n - 1}}}\n" for n in range(1, 300))
    _, mistakes = read(f"a:\n  - &b0 {{a: 1}}\n{hidden}a: *b299\n")
    assert [one for one in mistakes if "nested too deeply" in one]


GROUP = "name: web\nlocation: westeurope\nproperties: {containers: [{name: app, properties: {image: a}}]}\n"


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        *((f"{GROUP}{name}: [x]\n", f"4:1: {name}", f"at the wrong level: {name} belongs under properties") for name in (
            "imageRegistryCredentials", "ipAddress", "osType", "restartPolicy", "volumes", "initContainers", "diagnostics", "sku", "subnetIds",
            "dnsConfig", "extensions", "priority", "containerGroupProfile", "confidentialComputeProperties", "encryptionProperties")),
        *((GROUP.replace("{containers", f"{{{name}: {{a: b}}, containers"), f"3:14: properties.{name}", f"{name} belongs beside properties") for name in (
            "location", "tags", "identity", "zones")),
        *((GROUP.replace("{name: app", f"{{{name}: [x], name: app"), f"3:28: properties.containers[0].{name}", f"{name} belongs under properties of the container")
          for name in ("image", "command", "ports", "environmentVariables", "resources", "volumeMounts", "livenessProbe", "securityContext")),
        *((GROUP.replace("{image", f"{{{name}: [x], image"), f"3:52: properties.containers[0].properties.{name}", f"{name} belongs under properties of the group")
          for name in ("imageRegistryCredentials", "restartPolicy", "osType", "volumes", "ipAddress")),
        *((GROUP.replace("{containers", f"{{{name}: [x], containers"), f"3:14: properties.{name}", f"at the wrong level: {name} belongs {level}") for name, level in (
            ("environmentVariables", "under properties of the container"), ("ports", "under properties of the container"), ("dnsNameLabel", "under ipAddress"),
            ("volumeMounts", "under properties of the container"), ("azureFile", "under volumes of the group"), ("logAnalytics", "under diagnostics"))),
        *((GROUP.replace("{name: app", f"{{{name}: [x], name: app"), f"3:28: properties.containers[0].{name}", f"{name} belongs {level}") for name, level in (
            ("imageRegistryCredentials", "under properties of the group"), ("identity", "beside properties"), ("cpu", "under requests, in resources"))),
        *((GROUP.replace("{image", f"{{{name}: [x], image"), f"3:52: properties.containers[0].properties.{name}", f"belongs {level}") for name, level in (
            ("cpu", "under requests, in resources of the container"), ("memoryInGb", "under requests"), ("limits", "under resources"), ("tags", "beside properties"))),
        (GROUP.replace("{image", "{Resources: {cpu: 1}, image"), "3:64: properties.containers[0].properties.Resources.cpu", "cpu belongs under requests, in resources"),
        (GROUP.replace("{containers", "{ipAddress: {ports: [], osType: Linux}, containers"), "3:37: properties.ipAddress.osType", "osType belongs under properties of the group"),
        (f"{GROUP}image: a\n", "4:1: image", "image belongs under properties of the container"),
        (f"{GROUP}imageregistrycredentials: [x]\n", "4:1: imageregistrycredentials", "imageRegistryCredentials belongs under properties"),
        (f"{GROUP}foo: 1\n", "4:1: foo", "not a property of a container group"),
        (GROUP.replace("{containers", "{networkprofile: {id: x}, containers"), "3:14: properties.networkprofile", "before 2021-07-01"),
        (f"{GROUP}additional_properties: {{a: 1}}\n", "4:1: additional_properties", "not a property of a container group"),
        (f"{GROUP}Properties: {{a: 1}}\n", "4:1: Properties", "properties is given twice"),
        (f"{GROUP}Location: x\n", "4:1: Location", "location is given twice"),
        (f"{GROUP}tags: [a]\n", "4:7: tags", "not tags"),
        (f"{GROUP}tags: {{a: [1]}}\n", "4:11: tags.a", "not a text, as the value of a tag is"),
        (f"{GROUP}identity: SystemAssigned\n", "4:11: identity", "not an identity"),
        (f"{GROUP}identity: {{kind: x}}\n", "4:12: identity.kind", "not a property of an identity"),
        (f"{GROUP}identity: {{userAssignedIdentities: [/a]}}\n", "4:36: identity.userAssignedIdentities", "not the ids of identities"),
        (f"{GROUP}identity: {{userAssignedIdentities: {{/a: x}}}}\n", "4:41: identity.userAssignedIdentities./a", "not the ids of identities"),
        (f"{GROUP}identity: {{type: [x]}}\n", "4:18: identity.type", "not a text"),
        (f"{GROUP}identity: {{type: SystemAssigned, Type: x}}\n", "4:34: identity.Type", "type is given twice"),
        (f"{GROUP}extendedLocation: edge\n", "4:19: extendedLocation", "not an extended location"),
        (f"{GROUP}extendedLocation: {{name: {{a: b}}}}\n", "4:26: extendedLocation.name", "not a text"),
        (f"{GROUP}extendedLocation: {{zone: a}}\n", "4:20: extendedLocation.zone", "not a property of an extended location"),
        (GROUP.replace("westeurope", "''"), "2:11: location", "no location"),
        (f"{GROUP}zones: 1\n", "4:8: zones", "not a list of zones"),
        (f"{GROUP}zones: [1]\n", "4:9: zones[0]", "not a text, as a zone is"),
        ("name: web\nlocation: westeurope\nproperties: x\n", "3:13: properties", "no keys"),
        ("id: x\nlocation: y\ncontainers: [{image: a}]\nosType: Linux\nvolumes: []\n", "3:1: containers", "the output of `az container show`"),
        *((GROUP.replace("{containers", f"{{imageRegistryCredentials: [{{server: a, {more}}}], containers"), "3:41: properties.imageRegistryCredentials[0]", "either a username")
          for more in ("password: b", "username: null", "username: '', password: b", "username: b, identity: c")),
        *((GROUP.replace("{containers", f"{{imageRegistryCredentials: [{{username: b, server: '{server}'}}], containers"), "3:63: properties.imageRegistryCredentials[0].server",
           f"not a host name alone: Azure takes no protocol, port or path here. Write `server: {host}`") for server, host in (
            ("https://a.azurecr.io", "a.azurecr.io"), ("a.azurecr.io/", "a.azurecr.io"), ("http://a.azurecr.io:443/v2/", "a.azurecr.io"),
            (" a.azurecr.io", "a.azurecr.io"), ("a.azurecr.io.", "a.azurecr.io"))),
        (GROUP.replace("{containers", "{imageRegistryCredentials: [{username: b, server: ''}], containers"), "3:63: properties.imageRegistryCredentials[0].server",
         "needs the registry's host name. Write `server: REGISTRY.azurecr.io`"),
        *((GROUP.replace("{image: a", f"{{resources: {{requests: {{cpu: {value}, memoryInGb: 1.5}}}}, ports: [{{port: '80'}}], image: a"),
           "3:80: properties.containers[0].properties.resources.requests.cpu", "not a number") for value in ("{count}", "yes", "'1 core'", "[1]", "<cpu>")),
        (GROUP.replace("{image: a", "{ports: [{port: 80}, {Port: http}], image: a"), "3:79: properties.containers[0].properties.ports[1].Port", "not a number"),
        (f"{GROUP}tags: {{a: {{{{B}}}}}}\n", "4:12: tags.a", "a variable in braces has to be filled in"),
        (GROUP.replace("{containers", "{imageRegistryCredentials: [{username: b}], containers"), "3:41: properties.imageRegistryCredentials[0]", "needs the registry's host name"),
        *((GROUP.replace("image: a", f"image: '{image}'"), "3:59: properties.containers[0].properties.image", word) for image, word in (
            ("a.azurecr.io/web:$(Build.BuildId)", "not a reference of an image"), ("<image>", "not a reference"), ("https://a.azurecr.io/web", "without a scheme"),
            ("a.azurecr.io/Web:v1", "small letters only"), ("{{ image }}", "not a reference of an image"), ("", "not a reference of an image"))),
        (GROUP.replace("containers", "containers: [{name: app, properties: {image: a}}], initContainers").replace("image: a}}]}\n", "image: A}}]}\n"),
         "3:114: properties.initContainers[0].properties.image", "small letters only"),
        (f"{GROUP}type: Microsoft.Web/sites\n", "4:7: type", "not the type of a container group"),
        ("version: '3'\nservices: {web: {image: x, ports: ['80:80']}}\n", "2:1: services", "a Docker Compose file"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", "2:1: kind", "a manifest of Kubernetes"),
        ("on: push\njobs: {a: {steps: [{uses: x}]}}\n", "2:1: jobs", "a pipeline"),
    ],
)  # fmt: skip
def test_an_entry_at_the_wrong_level_is_said_to_be_that(text: str, place: str, word: str) -> None:
    _, mistakes = read(text)
    assert [one for one in mistakes if one.startswith(f"m.yaml:{place}: ") and word in one], mistakes


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ('zones: ["1"]\n', {"zones": ["1"]}),
        ("zones: null\n", {}),
        ("extended_location: {name: a}\n", {"extendedLocation": {"name": "a"}}),
        ("foo: null\nbar: {}\nbaz: []\n", {}),
        ("x-foo: {a: 1}\n", {}),
        ("id: /x\nsystemData: {a: 1}\netag: x\n", {}),
        ("TAGS: {a: b}\n", {"tags": {"a": "b"}}),
        ("imageRegistryCredentials: []\n", None),
        ("shared: &s {a: 1}\ntags: *s\n", {"tags": {"a": "1"}}),
        ("imageRegistryCredentials: &s {a: 1}\ntags: *s\n", {"tags": {"a": "1"}}),
        ("shared: {deep: [&s {a: 1}]}\ntags: {<<: *s}\n", {"tags": {"a": "1"}}),
        ("shared: &s {tags: {a: 1}}\n<<: *s\n", {"tags": {"a": "1"}}),
        ("shared: [{deep: &s {tags: {a: 1}}}]\n<<: [*s]\n", {"tags": {"a": "1"}}),
    ],
)
def test_what_az_leaves_out_is_left_out_where_nothing_is_lost(more: str, sent: dict[str, Any] | None) -> None:
    body, mistakes = read(f"{GROUP}{more}")
    if sent is None:
        assert mistakes
        return
    assert mistakes == []
    assert body == {
        "location": "westeurope",
        "properties": {"containers": [{"name": "app", "properties": {"image": "a"}}]},
        **sent,
    }
