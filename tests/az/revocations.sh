#!/usr/bin/env bash
# Access taken away in worlds that stock az makes: what `rotator revoke` says of what is left is what a host move of the group does, and the command
# that it prints closes it.
#
#   tests/az/revocations.sh DIR
. "$(dirname "$0")/shell.sh"
export ROTATOR_LEASE_DIR=$1/leases ROTATOR_POLICIES=$1/policies
mkdir -p "$ROTATOR_POLICIES"
operator=$(eval "$(rotator emulator env)"; printf %s "$AZURE_CLIENT_ID")
me=$(az ad sp show --id "$operator" --query id --output tsv)
above=${registry_id%%/providers/*}

# rotates ARGUMENTS...: rotator as itself, where az is somebody with all rights
rotates() (eval "$(rotator emulator env)" && rotator "$@")

# world NAME [REGISTRY...]: a principal that may pull from the registries, its password in the vault, a group that holds it, and the policy
world() {
    name=$1
    shift
    local ids=("$registry_id" "$@") registries=""
    exits 0 az ad sp create-for-rbac --name "$name" --scopes "${ids[@]}" --role acrpull
    app_id=$(value 'it["appId"]') password=$(value 'it["password"]')
    exits 0 az keyvault secret set --vault-name $vault --name "$name-pwd" --value "$password"
    exits 0 az ad app owner add --id "$app_id" --owner-object-id "$me"
    exits 0 az container create --resource-group $group --name "$name" --image $registry.azurecr.io/aci-helloworld:v1 --os-type Linux --cpu 1 --memory 1 \
        --registry-login-server $registry.azurecr.io --registry-username "$app_id" --registry-password "$password"
    container_id=$(value 'it["id"]')
    object_id=$(az ad sp show --id "$app_id" --query id --output tsv)
    for id in "${ids[@]}"; do registries="$registries{id: $id}, "; done
    cat >"$ROTATOR_POLICIES/$name.yaml" <<YAML
principal: {app_id: $app_id}
registries: [$registries]
key_vault: {url: "https://$vault.vault.azure.net", password_secret: $name-pwd}
proof: {times: 1, over: 0s}
container_groups: [{id: $container_id}]
YAML
    exits 0 rotates adopt "$name"
}

# revoked CODE VERDICT [OPTION...]: the exit code, and the first line of the report; the JSON form of a second run says the same
revoked() {
    local code=$1 verdict=$2
    shift 2
    exits "$code" rotates revoke "$name" --yes "$@"
    head -1 "$out" | grep -qF "$verdict" || fail "not said at once: $verdict, but: $(cat "$out")"
    cp "$out" "$HOME/report"
}

again() { # CODE VERDICT CODES: the second run, as JSON, has the codes of notes, and writes no role assignment
    local code=$1 verdict=$2 codes=$3
    shift 3
    exits "$code" rotates revoke "$name" --yes --output json "$@"
    shows "it['policies'][0]['summary'].startswith('$verdict')" "not it['policies'][0]['changes'] or {each['event'] for each in it['policies'][0]['changes']} == {'pull_refused'}" \
        "sorted(each['code'] for each in it['policies'][0]['notes']) == sorted('$codes'.split())"
}

# the oracle: a host move pulls again with what the group holds
pulls() { rotator emulator move-host "$container_id" >"$out" 2>"$said"; }
refuses() { ! pulls || fail "$name still pulls"; }
mends() { # the command that the report prints for it
    local command
    command=$(grep -o "\`az $1[^\`]*\`" "$HOME/report" | head -1 | tr -d '\`')
    [ -n "$command" ] || fail "no command az $1 in: $(cat "$HOME/report")"
    exits 0 bash -c "$command"
}
respected() { exits 0 rotates rotate "$name"; grep -q "access is revoked" "$out" || fail "a rotation doesn't say that access is revoked"; }

say "AcrPull only; a timer's run respects it; a grant restores it"
world plain
revoked 0 "access is gone: every pull is refused"
refuses
again 0 "access is marked" "residue not_proven" --no-wait
respected
exits 0 rotates grant plain
pulls || fail "it doesn't pull again"

say "an inherited Reader"
world reader
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$above" --role Reader
revoked 1 "ACCESS REMAINS"
pulls || fail "the report is wrong"
again 1 "ACCESS REMAINS" "still_granted residue not_proven"
mends "role assignment delete"
revoked 0 "access is marked as revoked" --no-wait
refuses

say "membership in a group"
world member
exits 0 az ad group create --display-name team --mail-nickname team
team=$(value 'it["id"]')
exits 0 az ad group member add --group "$team" --member-id "$object_id"
exits 0 az role assignment create --assignee-object-id "$team" --assignee-principal-type Group --scope "$registry_id" --role AcrPull
revoked 1 "ACCESS REMAINS"
pulls || fail "the report is wrong"
mends "ad group member remove"
revoked 0 "access is marked as revoked" --no-wait
refuses

say "a lock: the passwords are what can be taken"
world locked
exits 0 az lock create --name keep --lock-type CanNotDelete --resource-group $group --resource $registry --resource-type Microsoft.ContainerRegistry/registries
revoked 1 "ACCESS REMAINS"
pulls || fail "the report is wrong"
revoked 0 "access is gone: no password is left that signs in" --credentials
refuses
respected
exits 0 az lock delete --name keep --resource-group $group --resource $registry --resource-type Microsoft.ContainerRegistry/registries

say "anonymous pull, the admin user, a repository-scoped token"
world switches
exits 0 az acr update --name $registry --anonymous-pull-enabled true --admin-enabled true
exits 0 az acr token create --name nightly-ci --registry $registry --repository aci-helloworld content/read --no-passwords true
revoked 1 "ACCESS REMAINS: anybody can pull"
again 1 "ACCESS REMAINS" "anonymous_pull admin_user registry_token residue not_proven"
mends "acr update [^\`]*--anonymous"
mends "acr update [^\`]*--admin"
mends "acr token update"
again 0 "access is marked" "residue not_proven" --no-wait
refuses

say "two registries, and two principals on one of them"
exits 0 az acr create --name anotherregistry --resource-group $group --sku Standard
another_id=$(value 'it["id"]')
rotator emulator push anotherregistry.azurecr.io/aci-helloworld:v1 >"$out"
exits 0 az role assignment create --assignee-object-id "$me" --assignee-principal-type ServicePrincipal --scope "$another_id" --role Contributor
exits 0 az role assignment create --assignee-object-id "$me" --assignee-principal-type ServicePrincipal --scope "$another_id" --role "User Access Administrator"
world other
bystander=$container_id
world both "$another_id"
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$another_id" --role AcrPush
revoked 1 "ACCESS REMAINS"
grep -q "pull from anotherregistry" "$HOME/report" || fail "the registry isn't named"
! grep -q "pull from mycontainerregistry" "$HOME/report" || fail "the other is named"
refuses
exits 0 az role assignment list --assignee "$app_id" --all --query '[].roleDefinitionName' --output tsv
same "$(cat "$out")" AcrPush
container_id=$bystander name=other
pulls || fail "somebody else lost access"

say "a registry with repository permissions (ABAC)"
world repositories
exits 0 az acr update --name $registry --role-assignment-mode rbac-abac
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$registry_id" --role "Container Registry Repository Reader"
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$above" --role Reader
pulls || fail "it doesn't pull"
revoked 0 "access is gone: every pull is refused"
refuses

say "Everything works."
