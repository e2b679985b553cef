#!/usr/bin/env bash
# Access taken away in worlds that stock az makes: what `rotator revoke` says of what is left is what a host move of the group does, and what the
# registry answers to curl; a second run and a later rotation write nothing; and the command that is printed closes what is left.
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
    exits 0 az keyvault secret set --vault-name $vault --name "$name-pwd" --value="$password"
    exits 0 az ad app owner add --id "$app_id" --owner-object-id "$me"
    exits 0 az container create --resource-group $group --name "$name" --image $registry.azurecr.io/aci-helloworld:v1 --os-type Linux --cpu 1 --memory 1 \
        --registry-login-server $registry.azurecr.io --registry-username "$app_id" --registry-password="$password"
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

# fetches URL [OPTION...]: with curl, which reads who asks from standard input, so that no password is an argument
fetches() { curl --silent --cacert "$REQUESTS_CA_BUNDLE" --config - "${@:2}" "$1"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

# calls NUMBER: what was asked of the emulator after that number, as it tells whoever has its state directory
calls() { printf 'header = "Authorization: Bearer %s"\n' "$(field token <"$LOCAL_AZURE_DIR/running.json")" | fetches "https://control.local-azure.internal/calls?since=$1"; }
last() { calls 0 | python3 -c 'import json, sys; print(json.load(sys.stdin)["value"][-1]["number"])'; }
writes() {
    calls "$1" | python3 -c 'import json, sys
made = [each for each in json.load(sys.stdin)["value"] if each["method"] not in ("GET", "HEAD") and not each["operation"].startswith(("entra.", "acr."))]
print(" ".join(each["operation"] for each in made))'
}

# again CODE VERDICT CODES [OPTION...]: the second run, as JSON, has the codes of notes, and writes nothing but $retried
retried=""
again() {
    local code=$1 verdict=$2 codes=$3 since
    shift 3
    since=$(last)
    exits "$code" rotates revoke "$name" --yes --output json "$@"
    shows "it['policies'][0]['summary'].startswith('$verdict')" "{each['event'] for each in it['policies'][0]['changes']} <= {'pull_refused'}" \
        "sorted(each['code'] for each in it['policies'][0]['notes']) == sorted('$codes'.split())"
    same "$(writes "$since")" "$retried"
}

# answers REGISTRY [USER PASSWORD]: what the registry says to a request for the image, with Basic and with the token that it gives for it
answers() {
    local image=https://$1.azurecr.io/v2/aci-helloworld/manifests/v1 who="" token
    local asked=(--output /dev/null --write-out '%{http_code}' --header "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json")
    [ -z "${2:-}" ] || who=$(printf 'user = "%s:%s"' "$2" "$3")
    printf '%s\n' "$who" | fetches "$image" "${asked[@]}"
    token=$(printf '%s\n' "$who" | fetches "https://$1.azurecr.io/oauth2/token?service=$1.azurecr.io&scope=repository:aci-helloworld:pull" | field access_token)
    printf ' '
    printf 'header = "Authorization: Bearer %s"\n' "$token" | fetches "$image" "${asked[@]}"
}

# serves REGISTRY [USER PASSWORD]: whether the registry gives the image, which both ways of asking must say
serves() {
    local said_so
    said_so=$(answers "$@")
    case $said_so in
        "200 200") ;;
        "403 401" | "401 401") return 1 ;; # without the right, and without a password
        *) fail "$1 answers $said_so" ;;
    esac
}

# the oracles: a host move pulls again with what the group holds, and the registry is asked with the same password; both must agree
pulls() {
    local moved=refused asked=refused
    ! rotator emulator move-host "$container_id" >"$out" 2>"$said" || moved=pulled
    ! serves $registry "$app_id" "$password" || asked=pulled
    same "a host $moved, the registry $asked" "a host $asked, the registry $asked"
    [ $asked = pulled ]
}
refuses() { ! pulls || fail "$name still pulls"; }
mends() { # the command that the report prints for it
    local command
    command=$(grep -o "\`az $1[^\`]*\`" "$HOME/report" | head -1 | tr -d '\`')
    [ -n "$command" ] || fail "no command az $1 in: $(cat "$HOME/report")"
    exits 0 bash -c "$command"
}

# respected: neither the timer's run nor one that would rotate early writes anything
respected() {
    local since option
    since=$(last)
    for option in "" --force; do
        exits 0 rotates rotate "$name" $option
        grep -q "access is revoked" "$out" || fail "a rotation doesn't say that access is revoked"
    done
    same "$(writes "$since")" ""
}

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
respected
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
again 1 "ACCESS REMAINS" "through_group residue not_proven"
respected
mends "ad group member remove"
revoked 0 "access is marked as revoked" --no-wait
refuses

say "a lock: the passwords are what can be taken"
world locked
exits 0 az lock create --name keep --lock-type CanNotDelete --resource-group $group --resource $registry --resource-type Microsoft.ContainerRegistry/registries
revoked 1 "ACCESS REMAINS"
pulls || fail "the report is wrong"
retried=rbac.roleAssignments.delete
again 1 "ACCESS REMAINS" "still_granted residue not_proven"
respected
revoked 0 "access is gone: no password, certificate or other means signs in as the principal" --credentials
refuses
again 0 "access is gone: no password, certificate" "locked loses_password no_password residue still_granted" --credentials
retried=""
respected
exits 0 az lock delete --name keep --resource-group $group --resource $registry --resource-type Microsoft.ContainerRegistry/registries

say "a registry with an admin user"
world switches
exits 0 az acr update --name $registry --admin-enabled true
exits 0 az acr credential show --name $registry
admin=$(value 'it["passwords"][0]["value"]')
revoked 0 "access is gone: every pull is refused"
refuses
serves $registry $registry "$admin" || fail "the admin user is said to pull, and doesn't"
again 0 "access is marked" "admin_user residue not_proven" --no-wait
respected
mends "acr update [^\`]*--admin"
! serves $registry $registry "$admin" || fail "the admin user still pulls"

say "a repository-scoped token"
exits 0 az acr token create --name nightly-ci --registry $registry --repository aci-helloworld content/read metadata/read
token=$(value 'it["credentials"]["passwords"][0]["value"]')
revoked 0 "access is gone: every pull is refused"
refuses
serves $registry nightly-ci "$token" || fail "the token is said to pull, and doesn't"
again 0 "access is marked" "registry_token residue not_proven" --no-wait
respected
mends "acr token update"
! serves $registry nightly-ci "$token" || fail "the token still pulls"

say "anonymous pull"
exits 0 az acr update --name $registry --anonymous-pull-enabled true
revoked 1 "ACCESS REMAINS: the registry lets everyone pull"
serves $registry || fail "anybody is said to pull, and can't"
again 1 "ACCESS REMAINS" "anonymous_pull residue not_proven"
respected
mends "acr update [^\`]*--anonymous"
! serves $registry || fail "anybody still pulls"
again 0 "access is marked" "residue not_proven" --no-wait
refuses

say "two registries, and two principals on one of them"
exits 0 az acr create --name anotherregistry --resource-group $group --sku Standard
another_id=$(value 'it["id"]')
rotator emulator push anotherregistry.azurecr.io/aci-helloworld:v1 >"$out"
exits 0 az role assignment create --assignee-object-id "$me" --assignee-principal-type ServicePrincipal --scope "$another_id" --role Contributor
exits 0 az role assignment create --assignee-object-id "$me" --assignee-principal-type ServicePrincipal --scope "$another_id" --role "User Access Administrator"
world other
bystander=("$container_id" "$app_id" "$password")
world both "$another_id"
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$another_id" --role AcrPush
revoked 1 "ACCESS REMAINS"
grep -q "pull from anotherregistry" "$HOME/report" || fail "the registry isn't named"
! grep -q "pull from mycontainerregistry" "$HOME/report" || fail "the other is named"
refuses
serves anotherregistry "$app_id" "$password" || fail "the report is wrong"
again 1 "ACCESS REMAINS" "still_granted residue not_proven"
respected
exits 0 az role assignment list --assignee "$app_id" --all --query '[].roleDefinitionName' --output tsv
same "$(cat "$out")" AcrPush
mends "role assignment delete"
revoked 0 "access is gone: every pull is refused"
! serves anotherregistry "$app_id" "$password" || fail "it still pulls from the other"
container_id=${bystander[0]} app_id=${bystander[1]} password=${bystander[2]}
pulls || fail "somebody else lost access"

say "a registry with repository permissions (ABAC)"
world repositories
exits 0 az acr update --name $registry --role-assignment-mode rbac-abac
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$registry_id" --role "Container Registry Repository Reader"
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$above" --role Reader
pulls || fail "it doesn't pull"
revoked 0 "access is gone: every pull is refused"
refuses
again 0 "access is gone" "residue"
respected

say "Everything works."
