"""Builders of korrespondance (XDIS91) as a GP's system writes it."""

from tests.builders import CPR, EPISODE, NAME, OUR_GLN, SENDER_GLN, emessage, moment, tag

NAMESPACES = {
    "XD9134L": "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2006/07/01/",
    "XD9135L": "http://rep.oio.dk/medcom.dk/xml/schemas/2015/08/01/",
}


def xdis91(
    *texts: str,
    letter_id: str = "KOR00000000001",
    version: str = "XD9134L",
    status: str = "nytbrev",
    episode: str | None = EPISODE,
    sender: str = SENDER_GLN,
    receiver_id: str = "183",
    cpr: str = CPR,
    citizen_status: str = "inaktiv",
    priority: str | None = "rutine",
    subject: str | None = "Svar på spørgsmål",
    references: str = "",
) -> str:
    """A ClinicalEmail element without namespace."""
    letter = (
        tag("Identifier", letter_id)
        + tag("VersionCode", version)
        + tag("StatisticalCode", "XDIS91")
        + tag("Authorisation", moment("2026-11-18T10:20"))
        + tag("TypeCode", "XDIS91")
        + tag("StatusCode", status)
        + tag("EpisodeOfCareIdentifier", episode)
    )
    ends = (
        tag("EANIdentifier", sender)
        + tag("Identifier", "079741")
        + tag("IdentifierCode", "ydernummer")
        + tag("OrganisationName", "Lægehuset Prøvely")
    )
    ours = tag("EANIdentifier", OUR_GLN) + tag("Identifier", receiver_id) + tag("IdentifierCode", "kommunenummer")
    citizen = (
        tag("CivilRegistrationNumber", cpr)
        + tag("PersonSurnameName", NAME)
        + tag("EpisodeOfCareStatusCode", citizen_status)
    )
    extra = tag("Priority", priority) + tag("Subject", subject)
    parts = texts or ("Borgeren ønsker rygestop.",)
    return tag(
        "ClinicalEmail",
        tag("Letter", letter)
        + tag("Sender", ends)
        + tag("Receiver", ours)
        + tag("Patient", citizen)
        + (tag("AdditionalInformation", extra) if extra else "")
        + "".join(tag("ClinicalInformation", tag("Text01", text)) for text in parts)
        + references,
    )


def xdis91_message(*letters: str, version: str = "XD9134L", **envelope: str) -> bytes:
    """A whole Emessage around one or more XDIS91."""
    return emessage(*(letters or (xdis91(version=version),)), namespace=NAMESPACES[version], **envelope)
