"""Host set up as in docs/hosts.md: a throwaway copy of this machine on which the document's commands run unchanged."""

import datetime
import re
import shutil
import subprocess
import sys
import sysconfig
from base64 import b64encode
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from local_azure.environment import exports

from tests.programs import as_root
from tests.served import GRAPH, ROOT, Scene, Served

HOSTS = ROOT / "docs" / "hosts"
SCRIPT = Path(__file__).parent / "throwaway.sh"
LONGEST = "180"
"""Seconds after which a host is given up."""
NO_COPY = 77
"""Exit code of the script if overlays, namespaces or control groups are refused."""


def played(folder: Path, init: Literal["sh", "systemd"], steps: str) -> str:
    """Run steps as root on a throwaway host, with the folder at /shared; return their output."""
    before = as_root()
    (folder / "copy").mkdir()
    said = folder / "said"
    said.touch()
    (folder / "steps").write_text(steps)
    paths = (sys.base_prefix, sysconfig.get_path("purelib"), ROOT)
    done = subprocess.run(
        [*before, "timeout", "--signal=KILL", LONGEST, "sh", SCRIPT, folder, init, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == NO_COPY:
        pytest.skip(f"this machine can't make a throwaway copy of itself: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr + said.read_text()
    return said.read_text() if init == "systemd" else done.stdout + done.stderr


def environment(azure: Served, folder: Path) -> dict[str, str]:
    """Return the lines of /etc/rotator/environment with which a host reaches the emulator, without the secret."""
    shutil.copy(azure.directory.certificate, folder / "authority.pem")
    variables = exports(azure.directory)
    del variables["AZURE_CLIENT_SECRET"]
    return {
        name: "/etc/ssl/authority.pem" if value == str(azure.directory.certificate) else value
        for name, value in variables.items()
    }


def lines(variables: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def signs_by_certificate(azure: Served) -> bytes:
    """Give the operator a certificate for sign-ins; return it with its key, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rotator")])
    now = datetime.datetime.fromisoformat(azure.control("GET", "/state")["now"])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    entry = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode(),
    }
    application = f"{GRAPH}/v1.0/applications(appId='{azure.seeded.operator.app_id}')"
    azure.call("PATCH", application, {"keyCredentials": [entry]})
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def blocks(heading: str) -> list[str]:
    """Return the commands of docs/hosts.md below a heading, block by block."""
    text = (ROOT / "docs" / "hosts.md").read_text()
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert part, heading
    return re.findall(r"^```sh\n(.*?)^```", part[1], re.DOTALL | re.MULTILINE)


def checkout(folder: Path, made: Scene, files: dict[str, bytes]) -> None:
    """Make a person's directory for the installation: the source's documents, policies, and further files."""
    place = folder / "checkout"
    place.mkdir()
    (place / "docs").symlink_to("/opt/source/docs")
    shutil.copytree(made.policies, place / "policies")
    for name, content in files.items():
        (place / name).write_bytes(content)
