#!/usr/bin/env bash
# A principal by `az ad sp create-for-rbac`, a second password by `az ad sp credential reset --append`, a group with each by `az container create`: then
# rotator adopts both passwords, each where az put it, and removes both when nothing holds them any more. A third one is somebody else's, and stays.
#
#   tests/az/homes.sh DIR
set -euo pipefail

directory=$1
export LOCAL_AZURE_DIR=$directory ROTATOR_LEASE_DIR=$directory/leases ROTATOR_POLICIES=$directory/policies
group=myResourceGroup registry=mycontainerregistry vault=myvault principal=two-homes

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }

rotator emulator start --detach --fresh
trap 'rotator emulator stop' EXIT
operator=$(eval "$(rotator emulator env)"; printf %s "$AZURE_CLIENT_ID")
eval "$(rotator emulator env --az --as admin)"
az login --service-principal --username "$AZURE_CLIENT_ID" --password="$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none

say "one password on the application, one on the service principal"
registry_id=$(az acr show --name $registry --query id --output tsv)
first=$(az ad sp create-for-rbac --name $principal --scopes "$registry_id" --role acrpull --query password --output tsv)
app_id=$(az ad sp list --display-name $principal --query '[].appId' --output tsv)
az keyvault secret set --vault-name $vault --name $principal-pwd --value="$first" --output none
second=$(az ad sp credential reset --id "$app_id" --append --display-name second --query password --output tsv)
az keyvault secret set --vault-name $vault --name $principal-pwd --value="$second" --output none
theirs=$(az ad app credential reset --id "$app_id" --append --display-name somebody-else --query password --output tsv)
me=$(az ad sp show --id "$operator" --query id --output tsv)
az ad app owner add --id "$app_id" --owner-object-id "$me"
object_id=$(az ad sp show --id "$app_id" --query id --output tsv)
az rest --method POST --url "https://graph.microsoft.com/v1.0/servicePrincipals/$object_id/owners/\$ref" \
    --body "{\"@odata.id\": \"https://graph.microsoft.com/v1.0/directoryObjects/$me\"}" --output none
rotator emulator advance 5m >/dev/null
on_application=$(az ad app credential list --id "$app_id" --query "[?displayName!='somebody-else'].keyId" --output tsv)
foreign=$(az ad app credential list --id "$app_id" --query "[?displayName=='somebody-else'].keyId" --output tsv)
on_principal=$(az ad sp credential list --id "$app_id" --query '[].keyId' --output tsv)
[ -n "$on_application" ] && [ -n "$on_principal" ] && [ "$on_application" != "$on_principal" ] || fail "a password on each object was expected"

contains() { # NAME PASSWORD: a group that holds it; prints its id
    az container create --resource-group $group --name "$1" --image "$registry.azurecr.io/aci-helloworld:v1" --os-type Linux --cpu 1 --memory 1.5 \
        --registry-login-server "$registry.azurecr.io" --registry-username "$app_id" --registry-password="$2" --query id --output tsv
}
older=$(contains $principal-older "$first")
newer=$(contains $principal "$second")
rotator emulator advance 5m >/dev/null

mkdir -p "$ROTATOR_POLICIES"
cat >"$ROTATOR_POLICIES/$principal.yaml" <<YAML
principal: {app_id: $app_id}
registries: [{id: $registry_id}]
key_vault: {url: "https://$vault.vault.azure.net", password_secret: $principal-pwd}
proof: {times: 1, over: 0s}
container_groups: [{id: $older}, {id: $newer}]
YAML

say "rotator adopts both, and rotates"
eval "$(rotator emulator env)"
rotator adopt $principal --key-id "$on_application"
rotator adopt $principal --key-id "$on_principal"
rotator rotate
rotator emulator move-host "$older"
rotator emulator move-host "$newer"
rotator emulator advance 25h >/dev/null
rotator rotate
rotator emulator move-host "$older"
rotator emulator move-host "$newer"
rotator status --output json >"$directory/status"
grep -q "$foreign" "$directory/status" || fail "the third password is forgotten"

say "az sees one password of rotator, on the application, beside somebody else's, which signs in"
eval "$(rotator emulator env --az --as admin)"
same "$(az ad sp credential list --id "$app_id" --query 'length(@)' --output tsv)" 0
left=$(az ad app credential list --id "$app_id" --query '[].keyId' --output tsv)
same "$(wc -l <<<"$left" | tr -d ' ')" 2
grep -q "$foreign" <<<"$left" || fail "somebody else's password was taken"
! grep -q "$on_application" <<<"$left" || fail "the first password is still there"
AZURE_CONFIG_DIR=$(mktemp -d "$directory/az-XXXXXX") az login --service-principal --username "$app_id" --password="$theirs" --tenant "$AZURE_TENANT_ID" \
    --allow-no-subscriptions --output none || fail "somebody else's password doesn't sign in"
say "Everything works."
