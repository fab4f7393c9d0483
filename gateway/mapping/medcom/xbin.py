"""XBIN01 BinaryLetter and XBIN02 ReferralAttachment: files sent apart from the letter that names them (facts §8).

One shape under two names. The base64 may be broken into lines; its alphabet is unchecked by the schema, so here.
"""

import base64

from lxml import etree

from gateway.mapping.medcom.elements import UnreadableFileError, all_named, children, needed
from gateway.mapping.medcom.parties import read_citizen, read_moment, read_party
from gateway.mapping.medcom.referral_letter import read_size
from gateway.referral.attachments import AttachmentMessage, SentObject


def decode(element: etree._Element) -> AttachmentMessage:
    """One attachment element → its files.

    Raises:
        UnreadableFileError: a file is not base64, or empty.
    """
    found = children(element)
    letter = children(found["Letter"])
    return AttachmentMessage(
        message_type=needed(letter, "TypeCode"),
        version=needed(letter, "VersionCode"),
        letter_id=needed(letter, "Identifier"),
        sender=read_party(children(found["Sender"])),
        receiver=read_party(children(found["Receiver"])),
        citizen=read_citizen(found["Patient"]) if "Patient" in found else None,
        objects=tuple(_object(one) for one in all_named(element, "BinaryObject")),
        at=read_moment(children(letter["Authorisation"])),
    )


def _object(element: etree._Element) -> SentObject:
    found = children(element)
    return SentObject(
        object_id=needed(found, "ObjectIdentifier").replace("-", "").lower(),
        code=needed(found, "ObjectCode"),
        extension=needed(found, "ObjectExtensionCode"),
        told_size=read_size(found) or 0,
        data=_data(needed(found, "Object_Base64Encoded")),
    )


def _data(text: str) -> bytes:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise UnreadableFileError("Object_Base64Encoded") from error
    if not data:
        raise UnreadableFileError("Object_Base64Encoded")
    return data
