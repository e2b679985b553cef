#!/usr/bin/env bash
# az container: a group by its flags and by a file, with everything that Azure hides; and the rest of its life.
#
#   tests/az/containers.sh DIR
. "$(dirname "$0")/shell.sh"
server=$registry.azurecr.io image=$server/aci-helloworld:v1

say "A principal that may pull, into the vault and out of it"
exits 0 az ad sp create-for-rbac --name pull --scopes "$registry_id" --role acrpull
app_id=$(value 'it["appId"]')
exits 0 az keyvault secret set --vault-name $vault --name pull-pwd --value="$(value 'it["password"]')"
exits 0 az identity create --resource-group $group --name puller
shows 'it["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities"' 'len(it["principalId"]) == 36'
identity=$(value 'it["id"]')
password=$(az keyvault secret show --vault-name $vault --name pull-pwd --query value --output tsv)
pulling=(--registry-login-server $server --registry-username "$app_id" --registry-password="$password")
sized=(--os-type Linux --cpu 1 --memory 1.5)

say "az container create, by flags, with secure environment values, a secret volume, an Azure file share and an identity"
exits 0 az container create --resource-group $group --name web --image $image "${sized[@]}" "${pulling[@]}" \
    --ip-address Public --ports 80 8080 --dns-name-label webapp --restart-policy Always --command-line "node index.js" --location eastus \
    --environment-variables PLAIN=seen --secure-environment-variables HIDDEN=never \
    --secrets key=unseen --secrets-mount-path /mnt/secrets --assign-identity "$identity" \
    --azure-file-volume-account-name files --azure-file-volume-account-key a2V5 --azure-file-volume-share-name share --azure-file-volume-mount-path /mnt/files
shows 'it["provisioningState"] == "Succeeded"' 'it["restartPolicy"] == "Always"' 'it["osType"] == "Linux"' \
    'it["ipAddress"]["fqdn"] == "webapp.eastus.azurecontainer.io"' '[each["port"] for each in it["ipAddress"]["ports"]] == [80, 8080]' \
    'it["containers"][0]["command"] == ["node", "index.js"]' 'it["containers"][0]["resources"]["requests"]["cpu"] == 1.0' \
    'it["identity"]["type"] == "UserAssigned"' "[each.lower() for each in it['identity']['userAssignedIdentities']] == ['$identity'.lower()]"

say "az container show: nothing of what is hidden comes back"
exits 0 az container show --resource-group $group --name web
shows '{each["name"]: each.get("value") for each in it["containers"][0]["environmentVariables"]} == {"PLAIN": "seen", "HIDDEN": None}' \
    'all(each.get("secureValue") is None for each in it["containers"][0]["environmentVariables"])' \
    'it["imageRegistryCredentials"][0].get("password") is None' "it['imageRegistryCredentials'][0]['username'] == '$app_id'" \
    'next(each for each in it["volumes"] if each["name"] == "azurefile")["azureFile"].get("storageAccountKey") is None' \
    'not next(each for each in it["volumes"] if each["name"] == "secrets")["secret"]' \
    'it["instanceView"]["state"] == "Running"' '{"Pulled", "Started"} <= {each["name"] for each in it["containers"][0]["instanceView"]["events"]}'
for hidden in never unseen dW5zZWVu a2V5 "$password"; do ! grep -qF "\"$hidden\"" "$out" || fail "a hidden value came back"; done

say "az container list, logs"
exits 0 az container list --resource-group $group
shows '[each["name"] for each in it] == ["web"]' 'it[0].get("instanceView") is None'
exits 0 az container list --query '[].name' --output tsv
same "$(cat "$out")" web
exits 0 az container logs --resource-group $group --name web
exits 3 az container show --resource-group $group --name nosuchgroup

say "az container export, and create --file with what the export lacks"
exits 0 az container export --resource-group $group --name web --file "$HOME/web.yaml"
grep -q "osType: Linux" "$HOME/web.yaml" || fail "the export holds no group"
! grep -qF "$password" "$HOME/web.yaml" || fail "the export holds the password"
cat >"$HOME/job.yaml" <<YAML
apiVersion: 2023-05-01
location: eastus
name: job
properties:
  osType: Linux
  restartPolicy: Never
  containers:
  - name: job
    properties:
      image: $server/hello-world:v1
      environmentVariables: [{name: TOKEN, secureValue: never}]
      resources: {requests: {cpu: 1.0, memoryInGb: 0.5}}
  imageRegistryCredentials: [{server: $server, username: $app_id, password: "$password"}]
type: Microsoft.ContainerInstance/containerGroups
YAML
exits 0 az container create --resource-group $group --file "$HOME/job.yaml"
rotator emulator advance 2m >"$out"
exits 0 az container show --resource-group $group --name job
shows 'it["instanceView"]["state"] == "Succeeded"' 'it["containers"][0]["instanceView"]["currentState"]["exitCode"] == 0' \
    'it["containers"][0]["instanceView"]["currentState"]["detailStatus"] == "Completed"'
exits 0 az container logs --resource-group $group --name job --container-name job
same "$(cat "$out")" "Hello from Docker!"

say "az resource tag: what a nightly script says about the password that it used"
exits 0 az resource tag --ids "$(az container show --resource-group $group --name job --query id --output tsv)" --tags a=b c=d
shows 'it["tags"] == {"a": "b", "c": "d"}'
exits 0 az container show --resource-group $group --name job
shows 'it["tags"] == {"a": "b", "c": "d"}' 'it["instanceView"]["state"] == "Succeeded"'

say "az container stop, start, restart"
exits 0 az container stop --resource-group $group --name web
exits 0 az container show --resource-group $group --name web --query instanceView.state --output tsv
same "$(cat "$out")" Stopped
exits 0 az container start --resource-group $group --name web
exits 0 az container restart --resource-group $group --name web
exits 0 az container show --resource-group $group --name web --query instanceView.state --output tsv
same "$(cat "$out")" Running

say "What is refused, in Azure's words"
exits 1 az container create --resource-group $group --name wrong --image $image "${sized[@]}" --registry-login-server $server --registry-username "$app_id" --registry-password wrong
complains "(InaccessibleImage) The image '$image' in container group 'wrong' is not accessible. Please check the image and registry credential."
exits 1 az container create --resource-group $group --name wrong --image $server/no-such:v1 "${sized[@]}" "${pulling[@]}"
complains InaccessibleImage
exits 1 az container create --resource-group $group --name web --image $image "${sized[@]}" "${pulling[@]}" --restart-policy Never
complains InvalidContainerGroupUpdate
exits 2 az container create --resource-group $group --image $image --no-such-flag
exits 1 az container exec --resource-group $group --name web --exec-command ls
complains NotImplemented

say "az container delete"
exits 0 az container delete --resource-group $group --name web --yes
shows 'it["name"] == "web"'
exits 3 az container show --resource-group $group --name web
exits 0 az container delete --resource-group $group --name web --yes
exits 0 az container list --resource-group $group --query '[].name' --output tsv
same "$(cat "$out")" job

say "Everything works."
