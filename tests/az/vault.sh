#!/usr/bin/env bash
# az keyvault: a vault, and the life of a secret in it.
#
#   tests/az/vault.sh DIR
. "$(dirname "$0")/shell.sh"

say "az keyvault create, show, list"
exits 0 az keyvault create --name newvault01 --resource-group $group --location eastus --retention-days 7
shows 'it["properties"]["vaultUri"] == "https://newvault01.vault.azure.net/"' 'it["properties"]["enableSoftDelete"] is True' \
    'it["properties"]["enableRbacAuthorization"] is True' 'it["properties"]["softDeleteRetentionInDays"] == 7' \
    'it["properties"]["provisioningState"] == "Succeeded"' 'it["properties"]["sku"]["name"] == "standard"'
exits 0 az keyvault show --name newvault01 --query name --output tsv
same "$(cat "$out")" newvault01
exits 0 az keyvault list --query '[].name | sort(@)' --output tsv
same "$(paste -sd, "$out")" myvault,newvault01
exits 3 az keyvault show --name nosuchvault01 --resource-group $group

say "az keyvault secret set, show, list, list-versions"
exits 0 az keyvault secret set --vault-name $vault --name pull-pwd --value one --tags for=pull --expires 2027-01-01T00:00:00Z --content-type text/plain
shows 'it["value"] == "one"' 'it["attributes"]["enabled"] is True' 'it["attributes"]["expires"] == "2027-01-01T00:00:00+00:00"' \
    'it["tags"] == {"for": "pull", "file-encoding": "utf-8"}' 'it["contentType"] == "text/plain"' 'it["id"].startswith("https://myvault.vault.azure.net/secrets/pull-pwd/")'
first=$(value 'it["id"].split("/")[-1]')
exits 0 az keyvault secret set --vault-name $vault --name pull-pwd --value two
exits 0 az keyvault secret show --vault-name $vault --name pull-pwd --query value --output tsv
same "$(cat "$out")" two
exits 0 az keyvault secret show --vault-name $vault --name pull-pwd --version "$first"
shows 'it["value"] == "one"' 'it["attributes"]["recoveryLevel"].startswith("Recoverable")' 'it["attributes"]["created"].endswith("+00:00")'
exits 0 az keyvault secret list --vault-name $vault
shows '[each["name"] for each in it] == ["pull-pwd"]' '"value" not in it[0]'
exits 0 az keyvault secret list-versions --vault-name $vault --name pull-pwd
shows 'len(it) == 2' "any(each['id'].endswith('$first') for each in it)"

say "az keyvault secret set-attributes"
exits 0 az keyvault secret set-attributes --vault-name $vault --name pull-pwd --version "$first" --enabled false --tags retired=yes
shows 'it["attributes"]["enabled"] is False' 'it["tags"] == {"retired": "yes"}'
exits 1 az keyvault secret show --vault-name $vault --name pull-pwd --version "$first"
complains "Operation get is not allowed on a disabled secret"

say "az keyvault secret backup, delete, list-deleted, show-deleted, recover, purge, restore"
exits 0 az keyvault secret backup --vault-name $vault --name pull-pwd --file "$HOME/backup"
exits 0 az keyvault secret delete --vault-name $vault --name pull-pwd
shows 'it["recoveryId"] == "https://myvault.vault.azure.net/deletedsecrets/pull-pwd"' 'it["scheduledPurgeDate"] > it["deletedDate"]'
exits 3 az keyvault secret show --vault-name $vault --name pull-pwd
complains SecretNotFound
exits 1 az keyvault secret set --vault-name $vault --name pull-pwd --value three
complains "currently in a deleted but recoverable state"
exits 0 az keyvault secret list-deleted --vault-name $vault --query '[].name' --output tsv
same "$(cat "$out")" pull-pwd
exits 0 az keyvault secret recover --vault-name $vault --name pull-pwd
exits 0 az keyvault secret show --vault-name $vault --name pull-pwd --query value --output tsv
same "$(cat "$out")" two
exits 0 az keyvault secret delete --vault-name $vault --name pull-pwd
exits 0 az keyvault secret show-deleted --vault-name $vault --name pull-pwd
exits 0 az keyvault secret purge --vault-name $vault --name pull-pwd
exits 0 az keyvault secret list-deleted --vault-name $vault
shows 'it == []'
exits 0 az keyvault secret restore --vault-name $vault --file "$HOME/backup"
exits 0 az keyvault secret list-versions --vault-name $vault --name pull-pwd --query 'length(@)'
same "$(cat "$out")" 2

say "What is refused"
exits 3 az keyvault secret show --vault-name $vault --name no-such-secret
exits 1 az keyvault secret set --vault-name $vault --name x # az finds out by itself, and late
complains "--value VALUE | --file PATH"
exits 2 az keyvault secret set --vault-name $vault --value x
exits 1 az keyvault secret set --vault-name $vault --name no_underscores --value x

say "az keyvault delete, recover, purge: vaults are deleted softly, too"
exits 0 az keyvault delete --name newvault01 --resource-group $group
exits 0 az keyvault list-deleted --query '[].name' --output tsv
same "$(cat "$out")" newvault01
exits 0 az keyvault recover --name newvault01 --resource-group $group
exits 0 az keyvault delete --name newvault01 --resource-group $group
exits 0 az keyvault purge --name newvault01
exits 0 az keyvault list-deleted
shows 'it == []'

say "Everything works."
