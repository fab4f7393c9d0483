"""Builders of the older referral, XREF01. Persons, practices and numbers are invented."""

from tests.builders import (
    CPR,
    EPISODE,
    NAME,
    OUR_GLN,
    SENDER_GLN,
    SUNDCOM_2005,
    WORDS,
    diagnosis,
    emessage,
    moment,
    sks,
    tag,
)

XREF01_NAMESPACES = {
    "XH0130R": SUNDCOM_2005,
    "XH0131R": "http://rep.oio.dk/medcom.dk/xml/schemas/2017/05/01/",
}
#: places of free text, in the order in which they are written
CIRCUMSTANCES = ("Supplementary", "ClinicalReason")
CLINICAL = ("Cave", "Anamnesis", "Examination", "ActualMedicine")


def episodes(*given: tuple[str, str]) -> str:
    """EpisodeOfCare elements of XH0131R: type and identifier."""
    return "".join(
        tag("EpisodeOfCare", tag("EpisodeOfCareType", kind) + tag("EpisodeOfCareIdentifier", number))
        for kind, number in given
    )


def _diagnoses(given: tuple[tuple[str | None, str, str], ...], *, described: bool) -> str:
    written = []
    for number, (code, system, text) in enumerate(given):
        parts = tag("DiagnoseCode", code) + tag("DiagnoseTypeCode", system) + tag("DiagnoseText", text)
        role = tag("DiagnoseDescriptionCode", "bidiagnose" if number else "henv_diagnose")
        name = "ReferralAdditional" if number else "Refer"
        written.append(tag(name, (role if number or described else "") + parts))
    return tag("Referral", "".join(written)) if written else ""


def xref01(
    *,
    letter_id: str = "BRV01000000001",
    version: str = "XH0131R",
    status: str = "nytbrev",
    episode: str | None = None,
    sender_id: str = "079741",
    sender_code: str = "ydernummer",
    receiver_id: str = "183",
    cpr: str | None = CPR,
    replacement_cpr: str | None = None,
    surname: str = NAME,
    priority: str | None = "elektiv",
    diagnoses: tuple[tuple[str | None, str, str], ...] = sks("DE119"),
    **texts: str,
) -> str:
    """A HospitalReferral element without namespace; ``texts`` by place, else the default in Anamnesis.

    ``episode`` is the whole XML of the episode numbers; the default is EPISODE in the version's own form.
    """
    texts = texts or {"Anamnesis": WORDS}
    many = version == "XH0131R"
    if episode is None:
        episode = episodes(("henviser", EPISODE)) if many else tag("EpisodeOfCareIdentifier", EPISODE)
    letter = (
        tag("Identifier", letter_id)
        + tag("VersionCode", version)
        + tag("StatisticalCode", "XREF01")
        + tag("Authorisation", moment("2026-11-16T09:10"))
        + tag("TypeCode", "XREF01")
        + tag("StatusCode", status)
        + episode
    )
    sender = (
        tag("EANIdentifier", SENDER_GLN)
        + tag("Identifier", sender_id)
        + tag("IdentifierCode", sender_code)
        + tag("OrganisationName", "Lægehuset Prøvely")
        + tag("Referrer", tag("PersonName", "Mona Prøvelæge"))
    )
    receiver = tag("EANIdentifier", OUR_GLN) + tag("Identifier", receiver_id) + tag("IdentifierCode", "kommunenummer")
    citizen = (
        tag("CivilRegistrationNumber", cpr)
        + tag("AlternativeIdentifier", replacement_cpr)
        + tag("PersonSurnameName", surname)
        + tag("PersonGivenName", "Kai")
        + tag("PostCodeIdentifier", "2635")
    )
    circumstances = tag("Priority", priority) + "".join(tag(p, texts[p]) for p in CIRCUMSTANCES if p in texts)
    clinical = "".join(tag(p, texts[p]) for p in CLINICAL if p in texts)
    return tag(
        "HospitalReferral",
        tag("Letter", letter)
        + tag("Sender", sender)
        + tag("Receiver", receiver)
        + tag("Patient", citizen)
        + (tag("AdditionalInformation", circumstances) if circumstances else "")
        + _diagnoses(diagnoses, described=many)
        + (tag("RelevantClinicalInformation", clinical) if clinical else ""),
    )


def xref01_message(*letters: str, version: str = "XH0131R", **envelope: str) -> bytes:
    """A whole Emessage around one or more XREF01."""
    body = letters or (xref01(version=version),)
    return emessage(*body, namespace=XREF01_NAMESPACES[version], **envelope)


__all__ = ["diagnosis", "episodes", "xref01", "xref01_message"]
