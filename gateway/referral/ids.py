"""Ids of what we create, derived from their cause: handling anything twice yields the same ids (design: never twice).

Cause = a received letter, a team event or an operator's action. Envelope ids are random and minted by the relay.
"""

import hashlib
from uuid import UUID

import msgspec

_NAMESPACE = UUID("6f1c1f0e-8d0a-5b57-9f0e-0d6f5a3b7c11").bytes
#: the two bits that a UUID reserves, in its seventeenth digit
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: numbers are divided by large powers while more digits than are wanted remain: large divisions cost
_MANY_DIGITS = 36**9
_FAR_BEYOND = 36**23
#: MedCom Letter/Identifier and Envelope/Identifier: an1..14
MEDCOM_ID_LENGTH = 14


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What made us write: its sender (GLN, team or operator) and its id."""

    sender: str
    id: str


def letter_id(cause: Cause, kind: str, receiver: str, ordinal: int = 0) -> str:
    """A MedCom letter id: the first 14 base-36 characters of the SHA-256 of its cause.

    >>> letter_id(Cause(sender="5790000121526", id="SYNBRV00000001"), "XDIS91", "5790000121526")
    '5O39WQJJ2Y4F9M'
    """
    number = int.from_bytes(hashlib.sha256(_name(cause, kind, receiver, ordinal)).digest())
    return base36(number)


def base36(number: int) -> str:
    """The most significant 14 base-36 digits of a 256-bit number, upper case."""
    digits: list[str] = []
    while number >= _FAR_BEYOND:
        number //= _MANY_DIGITS
    while number:
        number, rest = divmod(number, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))[:MEDCOM_ID_LENGTH].rjust(MEDCOM_ID_LENGTH, "0")


def fhir_id(cause: Cause, kind: str, receiver: str, ordinal: int = 0) -> str:
    """The same as a UUIDv5 with hyphens, for FHIR resources, VANS MessageIdentifier, cases and assignments.

    Written out (RFC 9562 §5.5): a message leads to a dozen of them, and the library takes four times as long.

    >>> fhir_id(Cause(sender="5790000121526", id="SYNBRV00000001"), "Task", "ryg")[14]
    '5'
    """
    digest = hashlib.sha1(_NAMESPACE + _name(cause, kind, receiver, ordinal), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _name(cause: Cause, kind: str, receiver: str, ordinal: int) -> bytes:
    return "\n".join((cause.sender, cause.id, kind, receiver, str(ordinal))).encode()
