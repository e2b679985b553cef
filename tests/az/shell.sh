# What the scripts of this folder share: an emulated Azure of their own, a signed-in az, and ways to say what is expected. Sourced with a state directory.
#
# `az` and `rotator` are taken from PATH. Nothing is configured in az but the exported environment.
set -euo pipefail

export LOCAL_AZURE_DIR=$1 HOME=$1
group=myResourceGroup registry=mycontainerregistry vault=myvault

say() { printf '\n== %s\n' "$*"; }
fail() { printf "FAILED: %s\n" "$*" >&2; [ ! -s "$said" ] || cat "$said" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }

# exits CODE COMMAND...: its exit code; what it printed is in $out, what it complained about in $said
exits() {
    local wanted=$1 code=0
    shift
    "$@" >"$out" 2>"$said" || code=$?
    [ "$code" = "$wanted" ] || fail "exit code $code, not $wanted: ${*:1:5}"
}

# shows EXPRESSION...: each holds of the JSON that was printed last, called `it`
shows() {
    python3 - "$out" "$@" <<'PYTHON' || fail "what az printed is another thing"
import json, sys
it = json.load(open(sys.argv[1]))
wrong = [each for each in sys.argv[2:] if not eval(each)]
sys.exit("\n".join(f"not so: {each}" for each in wrong) or 0)
PYTHON
}

# complains TEXT: the last command said so
complains() { grep -qF -- "$1" "$said" || fail "expected az to say: $1"; }

# value EXPRESSION: something of the JSON that was printed last
value() { python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$out" "$1"; }

out=$1/out said=$1/said
rotator emulator start --detach --fresh --timing prompt
trap 'rotator emulator stop' EXIT
: >"$said"
eval "$(rotator emulator env --az --as admin)"
az login --service-principal --username "$AZURE_CLIENT_ID" --password="$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none
registry_id=/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$group/providers/Microsoft.ContainerRegistry/registries/$registry
