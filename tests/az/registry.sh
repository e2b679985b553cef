#!/usr/bin/env bash
# az acr, az group, az lock: a registry, its tokens, and what keeps somebody from deleting.
#
#   tests/az/registry.sh DIR
. "$(dirname "$0")/shell.sh"

say "az group create, show, exists, list"
exits 0 az group create --name another --location westeurope --tags team=blue
shows 'it["location"] == "westeurope"' 'it["tags"] == {"team": "blue"}' 'it["properties"] == {"provisioningState": "Succeeded"}' 'it["managedBy"] is None'
exits 0 az group exists --name another
same "$(cat "$out")" true
exits 0 az group list --query '[].name | sort(@)' --output tsv
same "$(paste -sd, "$out")" another,myResourceGroup
exits 3 az group show --name nosuchgroup
complains ResourceGroupNotFound

say "az acr create, show, update, list"
exits 0 az acr create --name anotherregistry --resource-group another --sku Basic
shows 'it["loginServer"] == "anotherregistry.azurecr.io"' 'it["adminUserEnabled"] is False' 'it["sku"]["name"] == "Basic"' \
    'it["provisioningState"] == "Succeeded"' 'it["location"] == "westeurope"'
exits 0 az acr show --name anotherregistry --query id --output tsv
another_id=$(cat "$out")
exits 0 az acr update --name anotherregistry --admin-enabled true --tags a=b
shows 'it["adminUserEnabled"] is True' 'it["tags"] == {"a": "b"}'
exits 0 az acr credential show --name anotherregistry
shows 'it["username"] == "anotherregistry"' '[each["name"] for each in it["passwords"]] == ["password", "password2"]'
exits 0 az acr list --query '[].name | sort(@)' --output tsv
same "$(paste -sd, "$out")" anotherregistry,mycontainerregistry
exits 0 az acr check-name --name mycontainerregistry
shows 'it["nameAvailable"] is False'
exits 3 az acr show --name nosuchregistry --resource-group $group

say "az acr login --expose-token, repository list, show-tags"
exits 0 az acr login --name $registry --expose-token
shows 'it["loginServer"] == "mycontainerregistry.azurecr.io"' 'it["username"] == "00000000-0000-0000-0000-000000000000"' 'it["accessToken"].count(".") == 2'
exits 0 az acr repository list --name $registry
shows 'it == ["aci-helloworld", "hello-world", "nightly"]'
exits 0 az acr repository show-tags --name $registry --repository aci-helloworld
shows 'it == ["latest", "v1"]'
exits 0 az acr repository list --name anotherregistry
shows 'it == []'

say "az lock create, list, delete: a lock on the registry keeps its role assignments"
exits 0 az ad sp create-for-rbac --name pull --scopes "$another_id" --role acrpull
app_id=$(value 'it["appId"]')
exits 0 az lock create --name keep --lock-type CanNotDelete --resource-group another --resource anotherregistry --resource-type Microsoft.ContainerRegistry/registries
shows 'it["level"] == "CanNotDelete"' 'it["type"] == "Microsoft.Authorization/locks"'
exits 0 az lock list --resource-group another --query '[].name' --output tsv
exits 1 az role assignment delete --assignee "$app_id" --scope "$another_id"
complains ScopeLocked
exits 1 az acr delete --name anotherregistry --yes
complains ScopeLocked
exits 0 az lock delete --name keep --resource-group another --resource anotherregistry --resource-type Microsoft.ContainerRegistry/registries
exits 0 az role assignment delete --assignee "$app_id" --scope "$another_id"

say "az acr delete, az group delete"
exits 0 az acr delete --name anotherregistry --yes
exits 3 az acr show --name anotherregistry --resource-group another
exits 0 az group delete --name another --yes
exits 0 az group exists --name another
same "$(cat "$out")" false

say "Everything works."
