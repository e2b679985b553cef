#!/usr/bin/env bash
# The commands of the Azure documentation, by stock az, against the emulator; then rotator on what they made; then az again.
#
#   tests/az/chain.sh DIR
#
# DIR is a state directory for `rotator emulator` (made if it is not there). az and rotator are taken from PATH. Nothing is configured in
# az but the exported environment. ROTATOR_CHAIN=az stops before rotator's part.
set -euo pipefail

directory=$1
export LOCAL_AZURE_DIR=$directory ROTATOR_LEASE_DIR=$directory/leases
group=myResourceGroup registry=mycontainerregistry vault=myvault container=mycontainer principal=mycontainerregistry-pull

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }
differs() { [ "$1" != "$2" ] || fail "still '$1'"; }

rotator emulator start --detach --fresh
trap 'rotator emulator stop' EXIT
operator=$(eval "$(rotator emulator env)"; printf %s "$AZURE_CLIENT_ID")
eval "$(rotator emulator env --az --as admin)"

say "az login, as a service principal"
az login --service-principal --username "$AZURE_CLIENT_ID" --password="$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none
same "$(az account show --query id --output tsv)" "$AZURE_SUBSCRIPTION_ID"

say "az acr show"
registry_id=$(az acr show --name $registry --query id --output tsv)
server=$(az acr show --resource-group $group --name $registry --query loginServer --output tsv)
same "$server" "$registry.azurecr.io"
same "$(az acr show --name $registry --query adminUserEnabled --output tsv)" false

say "az ad sp create-for-rbac: the pull credential, straight into the vault"
az keyvault secret set --vault-name $vault --name $registry-pull-pwd --output none \
    --value="$(az ad sp create-for-rbac --name $principal --scopes "$registry_id" --role acrpull --query password --output tsv)"
app_id=$(az ad sp list --display-name $principal --query '[].appId' --output tsv)
az keyvault secret set --vault-name $vault --name $registry-pull-usr --value "$app_id" --output none
same "$(az keyvault secret show --vault-name $vault --name $registry-pull-usr --query value --output tsv)" "$app_id"
password=$(az keyvault secret show --vault-name $vault --name $registry-pull-pwd --query value --output tsv)

say "az role assignment list"
same "$(az role assignment list --assignee "$app_id" --scope "$registry_id" --query '[].roleDefinitionName' --output tsv)" AcrPull

say "What rotator needs to own"
az ad app owner add --id "$app_id" --owner-object-id "$(az ad sp show --id "$operator" --query id --output tsv)"

rotator emulator advance 2m >/dev/null # a new credential and a new role take effect after a while, and Graph's reads lag
first_key=$(az ad app credential list --id "$app_id" --query '[].keyId' --output tsv)
differs "$first_key" ""

say "az container create, with the registry flags"
az container create --resource-group $group --name $container --image "$server/aci-helloworld:v1" --os-type Linux --cpu 1 --memory 1.5 \
    --registry-login-server "$server" \
    --registry-username "$(az keyvault secret show --vault-name $vault --name $registry-pull-usr --query value --output tsv)" \
    --registry-password="$(az keyvault secret show --vault-name $vault --name $registry-pull-pwd --query value --output tsv)" \
    --ip-address Public --ports 80 --output none
rotator emulator advance 2m >/dev/null
show() { az container show --resource-group $group --name $container --query "$1" --output tsv; }
same "$(show provisioningState)" Succeeded
same "$(show instanceView.state)" Running
same "$(show 'imageRegistryCredentials[0].username')" "$app_id"
same "$(show 'imageRegistryCredentials[0].password')" "" # Azure never returns it
container_id=$(show id)

[ "${ROTATOR_CHAIN:-}" = az ] && { say "The az half works."; exit 0; }

policies=$directory/policies
mkdir -p "$policies"
cat >"$policies/$registry.yaml" <<YAML
principal: {app_id: $app_id}
registries:
  - id: $registry_id
    role: AcrPull
key_vault:
  url: https://$vault.vault.azure.net
  password_secret: $registry-pull-pwd
  username_secret: $registry-pull-usr
rotation: {overlap: 24h}
proof: {over: 0s}
container_groups:
  - id: $container_id
YAML
as_operator() (eval "$(rotator emulator env)" && rotator "$@" --policies "$policies")
versions() { az keyvault secret list-versions --vault-name $vault --name $registry-pull-pwd --query "$1" --output tsv; }
keys() { az ad app credential list --id "$app_id" --query '[].keyId' --output tsv; }

say "rotator validate, plan: what would happen, and nothing has"
as_operator validate
as_operator plan $registry --exit-code && fail "nothing is due, although nothing is rotator's yet" || same $? 5
same "$(keys)" "$first_key"
same "$(versions 'length(@)')" 1

say "rotator adopt, rotate"
as_operator adopt $registry
as_operator rotate $registry --force

say "az sees the new credential: on the application, in the vault, on the group"
second=$(az keyvault secret show --vault-name $vault --name $registry-pull-pwd --query value --output tsv)
second_key=$(az keyvault secret show --vault-name $vault --name $registry-pull-pwd --query 'tags."rotator-key-id"' --output tsv)
differs "$second" "$password"
differs "$second_key" "$first_key"
same "$(keys | sort)" "$(printf '%s\n' "$first_key" "$second_key" | sort)"
same "$(versions 'length(@)')" 2
same "$(show 'tags."rotator-key-id"')" "$second_key"
same "$(show 'imageRegistryCredentials[0].username')" "$app_id"
same "$(show 'ipAddress.ports[0].port')" 80
rotator emulator advance 2m >/dev/null
same "$(show instanceView.state)" Running

say "The nightly script of docs/operations.md: az deploys a job, and says which password it got"
sed -n '/^since=\$(date/,/^```/{/^```/d;p}' "$(dirname "$0")/../../docs/operations.md" >"$directory/nightly.sh"
grep -q 'az resource tag' "$directory/nightly.sh" || fail "docs/operations.md has no such script"
bash -euo pipefail "$directory/nightly.sh"
same "$(az container show --resource-group $group --name nightly --query 'tags."rotator-key-id"' --output tsv)" "$second_key"

say "Both passwords sign in, each in an az of its own: nothing has relied on luck"
signs_in() (
    AZURE_CONFIG_DIR=$(mktemp -d "$directory/az-XXXXXX")
    export AZURE_CONFIG_DIR
    az login --service-principal --username "$app_id" --password="$1" --tenant "$AZURE_TENANT_ID" --allow-no-subscriptions --output none 2>"$directory/said"
)
signs_in "$password" || fail "the old password was taken away too early"
signs_in "$second" || fail "the new password doesn't sign in"

say "A day later the old one goes, since the job says that it doesn't hold it, and the group can still pull"
rotator emulator advance 25h >/dev/null
as_operator rotate $registry
same "$(keys)" "$second_key"
rotator emulator advance 2m >/dev/null
signs_in "$password" && fail "the old password still signs in"
grep -q AADSTS7000215 "$directory/said" || fail "az was refused for another reason: $(cat "$directory/said")"
signs_in "$second" || fail "the new password no longer signs in"
same "$(versions '[?attributes.enabled] | length(@)')" 1
rotator emulator move-host "$container_id"

say "rotator revoke: no role is left, and no pull succeeds"
as_operator revoke $registry --yes
same "$(az role assignment list --assignee "$app_id" --scope "$registry_id" --query 'length(@)' --output tsv)" 0
az container restart --resource-group $group --name $container 2>"$directory/said" && fail "the group could still pull"
grep -q InaccessibleImage "$directory/said" || fail "az was refused for another reason: $(cat "$directory/said")"

say "The whole chain works."
