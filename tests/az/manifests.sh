#!/usr/bin/env bash
# az container create --file and rotator deploy, of the same generated files: what runs afterwards is the same.
#
#   tests/az/manifests.sh DIR
. "$(dirname "$0")/shell.sh"
policies=$HOME/policies

say "A principal that may pull, its password in the vault, and an identity"
exits 0 az ad sp create-for-rbac --name pull --scopes "$registry_id" --role acrpull
app_id=$(value 'it["appId"]') password=$(value 'it["password"]')
exits 0 az keyvault secret set --vault-name $vault --name pull-pwd --value="$password"
exits 0 az identity create --resource-group $group --name puller

say "The files, once with the password for az, once with placeholders for rotator"
mkdir -p "$policies/m" "$HOME/az"
python3 - "$HOME" "$app_id" "$password" "${registry_id%/Microsoft.ContainerRegistry/*}" <<'PYTHON'
import sys
from pathlib import Path

from tests.policy.manifests.corpus import documents

home, app_id, password, scope = Path(sys.argv[1]), *sys.argv[2:]
policy = [
    f"principal: {{app_id: {app_id}}}",
    f"registries: [{{id: {scope}/Microsoft.ContainerRegistry/registries/mycontainerregistry}}]",
    "key_vault: {url: https://myvault.vault.azure.net, password_secret: pull-pwd}",
    "proof: {times: 1, over: 0s}",
    "container_groups:",
]
for name, text in documents(11, 2, "NAME"):
    text = text.replace("web:1", "aci-helloworld:v1")
    filled = text.replace("${{ credential:username }}", app_id).replace("${{ credential:password }}", password)
    (home / "az" / f"{name}.yaml").write_text(filled.replace("NAME", f"az-{name}"))
    (home / "policies" / "m" / f"{name}.yaml").write_text(text.replace("NAME", f"our-{name}"))
    policy.append(f"- {{id: {scope}/Microsoft.ContainerInstance/containerGroups/our-{name}, manifest: m/{name}.yaml}}")
(home / "policies" / "pull.yaml").write_text("\n".join(policy))
PYTHON
exits 0 rotator validate --policies "$policies"
[ ! -s "$said" ] || fail "rotator said something about files that are as they should be"

say "az container create --file, and rotator deploy"
exits 0 rotator rotate pull --adopt --policies "$policies"
for file in "$HOME"/az/*.yaml; do
    name=$(basename "$file" .yaml)
    exits 0 az container create --resource-group $group --file "$file"
    exits 0 rotator deploy pull "our-$name" --policies "$policies"
done

say "A word of its shell in place of \${NAME}, which no file has"
sed "s/^name: .*/name: az-shell/; s/^      command: .*/      command:\n      - run\n      - x-\${ROTATOR_WORD}-\${ROTATOR_NONE}/" "$file" >"$HOME/shell.yaml"
ROTATOR_WORD=said exits 0 az container create --resource-group $group --file "$HOME/shell.yaml"
exits 0 az container show --resource-group $group --name az-shell --query "containers[0].command[1]" --output tsv
[ "$(cat "$out")" = x-said-ROTATOR_NONE ] || fail "az left \${NAME} as it is"
exits 0 az container delete --yes --resource-group $group --name az-shell

say "What runs is the same"
exits 0 az rest --method get --url "https://management.azure.com${registry_id%/Microsoft.ContainerRegistry/*}/Microsoft.ContainerInstance/containerGroups?api-version=2025-09-01"
python3 - "$out" <<'PYTHON' || fail "az and rotator made different groups"
import json
import sys

shown = {each["name"]: each for each in json.load(open(sys.argv[1]))["value"]}
compared, wrong = 0, []
for name in sorted(each for each in shown if each.startswith("az-")):
    pair = [shown[name], shown[name.replace("az-", "our-")]]
    for one in pair:
        one["tags"] = {tag: value for tag, value in (one.get("tags") or {}).items() if not tag.startswith("rotator-")}
        for part in ("id", "name"):
            del one[part]
        one.get("identity", {}).pop("principalId", None)  # each group has one of its own
        for hidden in ("instanceView", "provisioningState"):
            one["properties"].pop(hidden, None)
    compared += 1
    if pair[0] != pair[1]:
        wrong.append(f"{name}\n  {json.dumps(pair[0])}\n  {json.dumps(pair[1])}")
print(*wrong, sep="\n")
sys.exit(bool(wrong) or compared != 14)
PYTHON

say "A manifest works."
