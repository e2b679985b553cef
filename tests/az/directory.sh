#!/usr/bin/env bash
# What the scenario tests of the Azure CLI do with the directory: certificates, users, groups, permissions, roles of users, access policies.
#
#   tests/az/directory.sh DIR
. "$(dirname "$0")/shell.sh"
upn=ada@contoso.onmicrosoft.com scope=/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$group graph=00000003-0000-0000-c000-000000000000

say "az ad sp create-for-rbac --create-cert: a principal that signs in with a certificate"
exits 0 az ad sp create-for-rbac --name certified --create-cert
shows 'it["password"] is None'
app_id=$(value 'it["appId"]') pem=$(value 'it["fileWithCertAndPrivateKey"]')
exits 0 az ad app credential list --id "$app_id" --cert
shows 'len(it) == 1' 'it[0]["displayName"] == "CN=CLI-Login"' 'len(it[0]["customKeyIdentifier"]) == 40' 'it[0]["key"] is None'
key=$(value 'it[0]["keyId"]')
signs_in() { AZURE_CONFIG_DIR=$(mktemp -d "$HOME/az-XXXXXX") az login --service-principal -u "$app_id" --certificate "$pem" --tenant "$AZURE_TENANT_ID" --allow-no-subscriptions; }
exits 0 signs_in
exits 0 az ad app credential reset --id "$app_id" --create-cert --append
exits 0 az ad app credential delete --id "$app_id" --cert --key-id "$key"
exits 0 az ad app credential list --id "$app_id" --cert --query 'length(@)'
same "$(cat "$out")" 1
exits 1 signs_in
complains AADSTS700027

say "az ad app permission add, grant, list-grants"
exits 0 az ad app permission add --id "$app_id" --api $graph --api-permissions 06da0dbc-49e2-44d2-8312-53f166ab848a=Scope
exits 0 az ad app permission grant --id "$app_id" --api $graph --scope Directory.Read.All
exits 0 az ad app permission grant --id "$app_id" --api $graph --scope Directory.Read.All Application.Read.All
exits 0 az ad app permission list-grants --id "$app_id" --show-resource-name
shows 'len(it) == 1' 'it[0]["resourceDisplayName"] == "Microsoft Graph"' 'it[0]["scope"] == "Directory.Read.All Application.Read.All"'

say "az ad user, az ad group"
exits 0 az ad user create --display-name Ada --mail-nickname ada --password Password-1 --user-principal-name $upn
shows "it['userPrincipalName'] == '$upn'"
user=$(value 'it["id"]')
exits 0 az ad group create --display-name readers --mail-nickname readers
exits 0 az ad group member add --group readers --member-id "$user"
exits 0 az ad user get-member-groups --id $upn --query '[].displayName' --output tsv
same "$(cat "$out")" readers
exits 0 az ad app owner add --id "$app_id" --owner-object-id "$user"

say "az role assignment create, update, list: roles of users and groups"
exits 0 az role assignment create --assignee $upn --role contributor --scope "$scope" --description first
shows 'it["principalType"] == "User"' 'it["description"] == "first"'
sed 's/"first"/"second"/' "$out" >"$HOME/assignment.json"
exits 0 az role assignment update --role-assignment "$HOME/assignment.json"
shows 'it["description"] == "second"'
exits 0 az role assignment create --assignee "$(az ad group show --group readers --query id --output tsv)" --role reader --scope "$scope"
exits 0 az role assignment list --assignee $upn --all --include-groups
shows 'sorted(each["roleDefinitionName"] for each in it) == ["Contributor", "Reader"]' "any(each['principalName'] == '$upn' for each in it)"

say "az keyvault set-policy, network-rule; az keyvault secret download"
exits 0 az keyvault create --name scenario01 --resource-group $group --location eastus --enable-rbac-authorization false
exits 0 az keyvault set-policy --name scenario01 --resource-group $group --upn $upn --secret-permissions get list
shows 'len(it["properties"]["accessPolicies"]) == 2'
exits 0 az keyvault network-rule add --name scenario01 --resource-group $group --ip-address 192.0.2.7
shows 'it["properties"]["networkAcls"]["ipRules"] == [{"value": "192.0.2.7/32"}]'
printf 'bytes' >"$HOME/file"
exits 0 az keyvault secret set --vault-name scenario01 --name encoded --file "$HOME/file" --encoding base64
exits 0 az keyvault secret download --vault-name scenario01 --name encoded --file "$HOME/copy"
same "$(cat "$HOME/copy")" bytes

say "Everything works."
