"""Change key vaults and their secrets. No value stands on a command line, and az prints none."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rotator.remedy.directory import add_password
from rotator.remedy.line import Bash, Word, az, file_of, output
from rotator.secret import ENTRA_SECRET
from rotator.visible import argument

if TYPE_CHECKING:
    from rotator.state import Credential, Version

LIST_VAULTS = "az keyvault list"
SHOW_VAULT_URL = "az keyvault show --query properties.vaultUri"


def vault_id(vault: str) -> Bash:
    """Return a vault's id, looked up by az, since rotator may lack the permission."""
    return output(az("keyvault show", name=vault, query="id", output="tsv"))


def open_vault(vault: str, subscription: str | None) -> str:
    """Allow access to a vault from outside its virtual network."""
    return az("keyvault update", subscription=subscription, name=vault, public_network_access="Enabled")


def admit_address(vault: str, subscription: str | None, address: str | None) -> str:
    """Allow an address in a vault's firewall; without an address, the public address of this machine."""
    seen = output("curl -s https://ifconfig.me") if address is None else address
    return az("keyvault network-rule add", subscription=subscription, name=vault, ip_address=seen)


def admit_identity(vault: str, subscription: str | None, object_id: str) -> str:
    """Let an identity read and set secrets, where access policies rule."""
    return az(
        "keyvault set-policy",
        subscription=subscription,
        name=vault,
        object_id=object_id,
        secret_permissions=("get", "list", "set"),
    )


def recover_vault(name: str) -> str:
    """Recover a soft-deleted vault with its secrets, without its role assignments (azure-facts E7)."""
    return az("keyvault recover", name=name, output="none")


def recover_secret(vault: str, name: str) -> str:
    """Recover a soft-deleted secret; az prints nothing."""
    return az("keyvault secret recover", vault_name=vault, name=name, output="none")


def enable_secret(vault: str, name: str) -> str:
    """Enable the newest version of a secret."""
    return _attributes(vault, name, enabled="true")


def extend_secret(vault: str, name: str, instant: str) -> str:
    """Let the newest version of a secret expire at an instant."""
    return _attributes(vault, name, expires=instant)


def begin_secret(vault: str, name: str, instant: str) -> str:
    """Let the newest version of a secret be valid from an instant on."""
    return _attributes(vault, name, not_before=instant)


def tag_version(vault: str, name: str, version: str, tags: Sequence[tuple[str, str]]) -> str:
    """Replace all tags of a version: az can't remove one."""
    words = [f"{tag}={value}" for tag, value in tags] or [""]
    return az("keyvault secret set-attributes", vault_name=vault, name=name, version=version, tags=words, output="none")


def untag(vault: str, secret: str, version: "Version", names: Collection[str]) -> str:
    """Remove the tags `names` of a version: az sets all tags at once, so the command says those that stay."""
    return tag_version(vault, secret, version.id, [(name, value) for name, value in version.tags if name not in names])


def type_secret(vault: str, name: str, tags: Sequence[tuple[str, str]] = ()) -> str:
    """Set a secret to typed input: not echoed, without a line break, and not on the command line."""
    words = [f"{tag}={value}" for tag, value in tags]
    typed = _set(vault, name, file_of('printf %s "$value"'), words)
    return f"IFS= read -rsp {argument(f'value of {name}: ')} value && {typed}"


def hand_over(vault: str, name: str, credential: "Credential") -> str:
    """Set a secret to the typed password of a credential, with the tags by which the credential is the policy's own."""
    from rotator.state import ATTEMPT, HOME, KEY_ID

    tags = ((KEY_ID, credential.key_id), (HOME, credential.home.value), (ATTEMPT, credential.attempt))
    return type_secret(vault, name, tags)


def set_new_password(vault: str, name: str, app_id: str) -> str:
    """Set a secret to a new password of an application."""
    return _set(vault, name, file_of(f"printf %s {output(add_password(app_id)).text}"))


def trim_secret(vault: str, name: str) -> str:
    """Set a secret to its own value without surrounding white space and quotes; passwords have none.

    White space is also what Unicode has of it: its bytes are no part of a password either.
    """
    stray = r"[:space:]\042\047\140\302\240\342\200\213\357\273\277"
    return _reset(vault, name, f"LC_ALL=C tr -d '{stray}'")


def extract_secret(vault: str, name: str) -> str:
    """Set a secret to the password in its own value, by what passwords of Entra look like."""
    return _reset(vault, name, _EXTRACT)


def decode_secret(vault: str, name: str) -> str:
    """Set a secret to the password that its own value has in base64."""
    return _reset(vault, name, f"LC_ALL=C tr -d '[:space:]' | base64 -d | {_EXTRACT}")


def unescape_secret(vault: str, name: str) -> str:
    """Set a secret to the password that its own value has as a part of a URL."""
    return _reset(vault, name, f"sed 's/%/\\\\x/g' | {{ IFS= read -r value; printf %b \"$value\"; }} | {_EXTRACT}")


_LOOKS = ENTRA_SECRET.pattern.replace(r"\w", "[:alnum:]_").replace(r"\d", "[0-9]")
_EXTRACT = f"LC_ALL=C grep -oE '{_LOOKS}'"
"""Filter for what looks like a password of Entra."""


def _reset(vault: str, name: str, through: str) -> str:
    show = az("keyvault secret show", vault_name=vault, name=name, query="value", output="tsv")
    return _set(vault, name, file_of(f"printf %s {output(f'{show} | {through}').text}"))


def _set(vault: str, name: str, file: Word, tags: Sequence[str] = ()) -> str:
    return az("keyvault secret set", vault_name=vault, name=name, file=file, tags=tags or None, output="none")


def _attributes(vault: str, name: str, **options: str) -> str:
    return az("keyvault secret set-attributes", vault_name=vault, name=name, **options, output="none")
