"""Builders of attachments: XBIN01 and XBIN02 as a sender's system writes them, and the reference in a letter."""

from base64 import encodebytes

from tests.builders import CPR, NAME, OUR_GLN, SENDER_GLN, emessage, moment, tag

_REP = "http://rep.oio.dk/medcom.dk/xml/schemas/"
NAMESPACES = {"XBIN01": f"{_REP}2012/03/28/", "XBIN02": f"{_REP}2016/10/02/"}
_ELEMENTS = {"XBIN01": ("BinaryLetter", "XB0131X"), "XBIN02": ("ReferralAttachment", "XB0210X")}
#: the same object as the attachment and as the letter writes it
OBJECT_ID = "9C1D5A70-3b1e-4f62-8f0d-2a7b6c5d4e3f"
NAMED = OBJECT_ID.replace("-", "").lower()
OTHER_ID = "11111111-2222-4333-8444-555555555555"
PDF = b"%PDF-1.7\n" + bytes(range(256)) + b"\n%%EOF\n"


def binary(object_id: str = OBJECT_ID, data: bytes = PDF, **changes: str) -> str:
    """One BinaryObject, its base64 broken into lines; ``code``, ``extension``, ``size`` and ``base64`` may change."""
    return tag(
        "BinaryObject",
        tag("ObjectIdentifier", object_id)
        + tag("ObjectCode", changes.get("code", "vektor_grafik"))
        + tag("ObjectExtensionCode", changes.get("extension", "pdf"))
        + tag("OriginalObjectSize", changes.get("size", str(len(data) or 1)))
        + tag("Object_Base64Encoded", changes.get("base64", encodebytes(data).decode())),
    )


def xbin(
    *objects: str,
    kind: str = "XBIN02",
    letter_id: str = "BIL00000000001",
    version: str | None = None,
    sender: str = SENDER_GLN,
    receiver: str = OUR_GLN,
    receiver_id: str = "183",
    cpr: str | None = CPR,
) -> str:
    """An attachment element without namespace; without ``cpr`` it names no citizen."""
    name, own_version = _ELEMENTS[kind]
    letter = (
        tag("Identifier", letter_id)
        + tag("VersionCode", version or own_version)
        + tag("StatisticalCode", kind)
        + tag("Authorisation", moment("2026-11-16T09:12"))
        + tag("TypeCode", kind)
        + tag("StatusCode", "nytbrev")
    )
    ends = (
        tag("EANIdentifier", sender)
        + tag("Identifier", "079741")
        + tag("IdentifierCode", "ydernummer")
        + tag("OrganisationName", "Lægehuset Prøvely")
    )
    ours = tag("EANIdentifier", receiver) + tag("Identifier", receiver_id) + tag("IdentifierCode", "kommunenummer")
    citizen = tag("Patient", tag("CivilRegistrationNumber", cpr) + tag("PersonSurnameName", NAME))
    return tag(
        name,
        tag("Letter", letter)
        + tag("Sender", ends)
        + tag("Receiver", ours)
        + (citizen if cpr else tag("SystemInformation", "true"))
        + ("".join(objects) or binary()),
    )


def xbin_message(*letters: str, kind: str = "XBIN02", **envelope: str) -> bytes:
    """A whole Emessage around one or more attachments, in an envelope of its own."""
    given = {"envelope_id": "KUVBILAG000001"} | envelope
    return emessage(*(letters or (xbin(kind=kind),)), namespace=NAMESPACES[kind], **given)


def reference(object_id: str = NAMED, description: str = "Spirometri") -> str:
    """The Reference in a letter that names an object sent apart."""
    kind = tag("ObjectCode", "vektor_grafik") + tag("ObjectExtensionCode", "pdf") + tag("OriginalObjectSize", "273")
    return tag("Reference", tag("RefDescription", description) + tag("BIN", tag("ObjectIdentifier", object_id) + kind))
