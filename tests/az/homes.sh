#!/usr/bin/env bash
# A principal by `az ad sp create-for-rbac`, a second password by `az ad sp credential reset --append`, a group by `az container create`: then rotator
# adopts both passwords, each where az put it, and removes both when nothing holds them any more.
#
#   tests/az/homes.sh DIR
set -euo pipefail

directory=$1
export ROTATOR_EMULATOR_DIR=$directory ROTATOR_LEASE_DIR=$directory/leases ROTATOR_POLICIES=$directory/policies
group=myResourceGroup registry=mycontainerregistry vault=myvault principal=two-homes

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }

rotator emulator start --detach --fresh
trap 'rotator emulator stop' EXIT
operator=$(eval "$(rotator emulator env)"; printf %s "$AZURE_CLIENT_ID")
eval "$(rotator emulator env --az --as admin)"
az login --service-principal --username "$AZURE_CLIENT_ID" --password "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none

say "one password on the application, one on the service principal"
registry_id=$(az acr show --name $registry --query id --output tsv)
first=$(az ad sp create-for-rbac --name $principal --scopes "$registry_id" --role acrpull --query password --output tsv)
app_id=$(az ad sp list --display-name $principal --query '[].appId' --output tsv)
az keyvault secret set --vault-name $vault --name $principal-pwd --value "$first" --output none
second=$(az ad sp credential reset --id "$app_id" --append --display-name second --query password --output tsv)
az keyvault secret set --vault-name $vault --name $principal-pwd --value "$second" --output none
me=$(az ad sp show --id "$operator" --query id --output tsv)
az ad app owner add --id "$app_id" --owner-object-id "$me"
object_id=$(az ad sp show --id "$app_id" --query id --output tsv)
az rest --method POST --url "https://graph.microsoft.com/v1.0/servicePrincipals/$object_id/owners/\$ref" \
    --body "{\"@odata.id\": \"https://graph.microsoft.com/v1.0/directoryObjects/$me\"}" --output none
rotator emulator advance 5m >/dev/null
on_application=$(az ad app credential list --id "$app_id" --query '[].keyId' --output tsv)
on_principal=$(az ad sp credential list --id "$app_id" --query '[].keyId' --output tsv)
[ -n "$on_application" ] && [ -n "$on_principal" ] && [ "$on_application" != "$on_principal" ] || fail "a password on each object was expected"

az container create --resource-group $group --name $principal --image "$registry.azurecr.io/aci-helloworld:v1" --os-type Linux --cpu 1 --memory 1.5 \
    --registry-login-server "$registry.azurecr.io" --registry-username "$app_id" --registry-password "$second" --output none
container_id=$(az container show --resource-group $group --name $principal --query id --output tsv)
rotator emulator advance 5m >/dev/null

mkdir -p "$ROTATOR_POLICIES"
cat >"$ROTATOR_POLICIES/$principal.yaml" <<YAML
principal: {app_id: $app_id}
registries: [{id: $registry_id}]
key_vault: {url: "https://$vault.vault.azure.net", password_secret: $principal-pwd}
proof: {times: 1, over: 0s}
container_groups: [{id: $container_id}]
YAML

say "rotator adopts both, and rotates"
eval "$(rotator emulator env)"
rotator adopt $principal --key-id "$on_application"
rotator adopt $principal --key-id "$on_principal"
rotator rotate
rotator emulator advance 25h >/dev/null
rotator rotate

say "az sees one password, of rotator, on the application"
eval "$(rotator emulator env --az --as admin)"
same "$(az ad sp credential list --id "$app_id" --query 'length(@)' --output tsv)" 0
same "$(az ad app credential list --id "$app_id" --query 'length(@)' --output tsv)" 1
[ "$(az ad app credential list --id "$app_id" --query '[0].keyId' --output tsv)" != "$on_application" ] || fail "the first password is still there"
say "Everything works."
