#!/usr/bin/env bash
# az ad sp, az ad app, az role assignment: a service principal that may pull, as the registry's documentation makes it.
#
#   tests/az/principals.sh DIR
. "$(dirname "$0")/shell.sh"
name=mycontainerregistry-pull

say "az ad sp create-for-rbac"
exits 0 az ad sp create-for-rbac --name $name --scopes "$registry_id" --role acrpull
shows 'set(it) == {"appId", "displayName", "password", "tenant"}' 'it["displayName"] == "mycontainerregistry-pull"' 'len(it["password"]) == 40'
app_id=$(value 'it["appId"]') password=$(value 'it["password"]')

say "az ad sp list, show"
exits 0 az ad sp list --display-name $name
shows 'len(it) == 1' 'it[0]["servicePrincipalType"] == "Application"' 'it[0]["accountEnabled"] is True' 'it[0]["passwordCredentials"] == []'
object_id=$(value 'it[0]["id"]')
exits 0 az ad sp list --filter "displayName eq '$name'" --query '[].appId' --output tsv
same "$(cat "$out")" "$app_id"
exits 0 az ad sp show --id "$app_id"
shows "it['id'] == '$object_id'" "'$app_id' in it['servicePrincipalNames']"
exits 3 az ad sp show --id 00000000-0000-0000-0000-00000000dead
complains 'does not exist'

say "az role assignment list, create, delete"
exits 0 az role assignment list --assignee "$app_id" --scope "$registry_id"
shows 'len(it) == 1' 'it[0]["roleDefinitionName"] == "AcrPull"' 'it[0]["principalType"] == "ServicePrincipal"' "it[0]['principalId'] == '$object_id'"
exits 0 az role assignment create --assignee "$app_id" --scope "$registry_id" --role acrpush
shows 'it["type"] == "Microsoft.Authorization/roleAssignments"' "it['scope'] == '$registry_id'"
exits 0 az role assignment create --assignee-object-id "$object_id" --assignee-principal-type ServicePrincipal --scope "$registry_id" --role acrpush
exits 0 az role assignment list --assignee "$app_id" --all --query '[].roleDefinitionName | sort(@)' --output tsv
same "$(paste -sd, "$out")" AcrPull,AcrPush
exits 0 az role assignment delete --assignee "$app_id" --scope "$registry_id" --role acrpush
exits 0 az role assignment list --assignee "$app_id" --scope "$registry_id" --query 'length(@)'
same "$(cat "$out")" 1
exits 1 az role assignment create --assignee "$app_id" --scope "$registry_id" --role "No Such Role"
complains "Role 'No Such Role' doesn't exist"
exits 1 az role assignment create --assignee 00000000-0000-0000-0000-00000000dead --scope "$registry_id" --role acrpull
exits 2 az role assignment create --assignee "$app_id" --role acrpull

say "az ad app credential reset, list, delete: the application's passwords"
exits 0 az ad app credential reset --id "$app_id" --append --display-name second --years 2
shows 'set(it) == {"appId", "password", "tenant"}'
exits 0 az ad app credential list --id "$app_id"
shows 'sorted(each["displayName"] for each in it) == ["rbac", "second"]' 'all(each["secretText"] is None for each in it)' 'all(len(each["hint"]) == 3 for each in it)'
key=$(value 'next(each["keyId"] for each in it if each["displayName"] == "rbac")')
exits 0 az ad app credential delete --id "$app_id" --key-id "$key"
exits 0 az ad app credential list --id "$app_id" --query '[].displayName' --output tsv
same "$(cat "$out")" second
exits 1 az ad app credential delete --id "$app_id" --key-id "$key"

say "az ad sp credential reset, list, delete: the service principal's own"
exits 0 az ad sp credential reset --id "$app_id" --append
own=$(value 'it["password"]')
exits 0 az ad sp credential list --id "$app_id"
shows 'len(it) == 1' 'it[0]["hint"] is None'
signs_in() { AZURE_CONFIG_DIR=$(mktemp -d "$HOME/az-XXXXXX") az login --service-principal -u "$app_id" --password="$1" --tenant "$AZURE_TENANT_ID" --allow-no-subscriptions; }
exits 0 signs_in "$own"
shows "it[0]['user'] == {'name': '$app_id', 'type': 'servicePrincipal'}"
exits 1 signs_in "$password"
complains AADSTS7000215
exits 0 az ad sp credential delete --id "$app_id" --key-id "$(az ad sp credential list --id "$app_id" --query '[0].keyId' --output tsv)"
exits 1 signs_in "$own"

say "az ad sp delete, az ad app delete"
exits 0 az ad sp delete --id "$app_id"
exits 3 az ad sp show --id "$app_id"
exits 0 az ad app show --id "$app_id"
exits 0 az ad app delete --id "$app_id"
exits 3 az ad app show --id "$app_id"
exits 0 az ad app list --display-name $name
shows 'it == []'

say "Everything works."
