"""A security key in software: makes passkeys and shows them, honestly or not."""

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40
Options = dict[str, Any]


class Authenticator:
    """One passkey of one person. `verifies`: its owner unlocks it; `count` is what it tells next."""

    def __init__(self, origin: str, *, verifies: bool = True, count: int = 0) -> None:
        self.origin = origin
        self.verifies = verifies
        self.count = count
        self.id = secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.handle = b""

    def make(self, options: Options, **changes: Any) -> str:
        """The answer to the options of a registration."""
        self.handle = decoded(options["user"]["id"])
        length = len(self.id).to_bytes(2, "big")
        data = self.data(options["rp"]["id"], HAS_KEY) + bytes(16) + length + self.id + self.cose()
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self.client_data("webauthn.create", options, changes)
        answer = {"attestationObject": encoded(attestation), "clientDataJSON": encoded(client)}
        return self.credential({**answer, "transports": ["usb", "nfc"]})

    def show(self, options: Options, **changes: Any) -> str:
        """The answer to the options of an authentication."""
        data = self.data(options["rpId"], 0)
        client = self.client_data("webauthn.get", options, changes)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {
            "authenticatorData": encoded(data),
            "clientDataJSON": encoded(client),
            "signature": encoded(signature),
            "userHandle": encoded(changes.get("handle", self.handle)),
        }
        return self.credential(answer)

    def data(self, rp_id: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        hashed = hashlib.sha256(rp_id.encode()).digest()
        return hashed + bytes([flags]) + self.count.to_bytes(4, "big")

    def client_data(self, kind: str, options: Options, changes: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said | {k: v for k, v in changes.items() if k in said}).encode()

    def cose(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return bytes(encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y}))

    def credential(self, response: dict[str, Any]) -> str:
        named = {"id": encoded(self.id), "rawId": encoded(self.id), "type": "public-key"}
        return json.dumps({**named, "response": response, "clientExtensionResults": {}})


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
