"""The cluster's certificate authority and what it signs, with the names and subjects that kubeadm gives them."""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.networks import CONTROL_PLANE_ADDRESS, DOOR

SERVER = f"https://{CONTROL_PLANE_ADDRESS}:6443"
LASTS = timedelta(days=3650)
AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])


def make_authority(pki: Path) -> None:
    """The authority (ca.crt, ca.key) and the key that service accounts' tokens are signed with (sa.key, sa.pub)."""
    pki.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(AUTHORITY, key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    _write_key(pki / "ca.key", key)
    (pki / "ca.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write_key(pki / "sa.key", accounts)
    public = accounts.public_key()
    (pki / "sa.pub").write_bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def make_control_plane(pki: Path, services: Sequence[str], cluster: str) -> None:
    """Certificates of the API server and its clients. `services` are the addresses of the Service `kubernetes`; `cluster` is
    what the clients' kubeconfigs call it."""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "cp")
    sign(pki, "apiserver", "kube-apiserver", names=names, addresses=(CONTROL_PLANE_ADDRESS, DOOR, "127.0.0.1", *services))
    sign(pki, "apiserver-kubelet-client", "kube-apiserver-kubelet-client", "kubeadm:cluster-admins")
    for user, common, group in (
        ("admin", "kubernetes-admin", "system:masters"),
        ("controller-manager", "system:kube-controller-manager", ""),
        ("scheduler", "system:kube-scheduler", ""),
    ):
        sign(pki, user, common, group)
        kubeconfig(pki, user, cluster)


def make_node(pki: Path, node: str, cluster: str) -> Path:
    """A kubelet's certificate; returns its kubeconfig."""
    sign(pki, f"node-{node}", f"system:node:{node}", "system:nodes")
    return kubeconfig(pki, f"node-{node}", cluster)


def sign(pki: Path, name: str, common: str, group: str = "", names: Sequence[str] = (), addresses: Sequence[str] = ()) -> None:
    """NAME.crt and NAME.key for a subject, good for a server and for a client."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = _builder(subject, key.public_key()).add_extension(x509.BasicConstraints(False, None), critical=True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = builder.add_extension(usage, critical=False)
    others = [*(x509.DNSName(one) for one in names), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    if others:
        builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    authority = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None)
    if not isinstance(authority, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{pki / 'ca.key'} is not a key of this lab")
    _write_key(pki / f"{name}.key", key)
    (pki / f"{name}.crt").write_bytes(builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def kubeconfig(pki: Path, user: str, name: str) -> Path:
    """USER.conf, in JSON, for the holder of USER.crt. Cluster and context are called `name`: labs share one address."""

    def encoded(file: str) -> str:
        return base64.b64encode((pki / file).read_bytes()).decode()

    identity = {"client-certificate-data": encoded(f"{user}.crt"), "client-key-data": encoded(f"{user}.key")}
    cluster = {"server": SERVER, "certificate-authority-data": encoded("ca.crt")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": identity}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    path = pki / f"{user}.conf"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(AUTHORITY).public_key(key)
    return (
        builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LASTS)
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
