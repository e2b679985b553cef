"""Two files written by a user: a policy, and the manifest of the nightly job."""

from rotator.demo.scene import Stage

PASSWORD, USERNAME, DATABASE = "mycontainerregistry-pull-pwd", "mycontainerregistry-pull-usr", "db-password"

POLICY = """\
principal: {{app_id: {app_id}}}
registries:
  - id: {registry}
key_vault:
  url: {vault}
  password_secret: {password}
  username_secret: {username}
rotation: {{validity: 90d, renew_before: 30d, overlap: 24h}}
proof: {{over: 0s}} # five tries in a row; with Azure, spread them over a minute
container_groups:
  - id: {group}
    secrets:
      containers/app/env/DB_PASSWORD: {{key_vault: {database}}}
  - id: {nightly}
    manifest: nightly.yaml
"""

MANIFEST = """\
name: nightly
type: Microsoft.ContainerInstance/containerGroups
location: eastus
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        image: {server}/nightly:v1
        resources: {{requests: {{cpu: 1, memoryInGB: 1.5}}}}
  imageRegistryCredentials:
    - {{server: {server}, username: "${{{{ credential:username }}}}", password: "${{{{ credential:password }}}}"}}
"""


def write(stage: Stage) -> None:
    """Write both files into the directory of policies, and show the policy."""
    seeded = stage.seeded
    policy = POLICY.format(
        app_id=stage.made["pull"].app_id,
        registry=seeded.registry_id,
        vault=seeded.vault_url,
        password=PASSWORD,
        username=USERNAME,
        database=DATABASE,
        group=stage.group_id("mycontainer"),
        nightly=stage.group_id("nightly"),
    )
    stage.policies.mkdir()
    (stage.policies / "mycontainerregistry.yaml").write_text(policy)
    (stage.policies / "nightly.yaml").write_text(MANIFEST.format(server=seeded.login_server))
    stage.voice.command("cat policies/mycontainerregistry.yaml")
    stage.show(policy)
