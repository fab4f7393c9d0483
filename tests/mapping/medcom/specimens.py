"""For each letter type, documents that together fill every element and take every branch: what the tests damage."""

from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

VANS = "urn:oio:medcom:vans-envelope:1.0.4"
REP = "http://rep.oio.dk/medcom.dk/xml/schemas/"
SUNDCOM = "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/"

# An element: "Name=text" (which may hold elements), "Name@attribute=value=text", or (name, child …).
Spec: TypeAlias = "str | tuple[Spec, ...]"

# One line for each part of a letter reads better than the formatter's one for each element.
# fmt: off

# --- what letters share ---------------------------------------------------------------------------------------------
MOMENT = ("Date=2022-03-14", "Time=10:42")
ADDRESS = ("StreetName=Vandværksvej 99", "SuburbName=Strandby", "DistrictName=Ishøj", "PostCodeIdentifier=2635")
UNIT = ("OrganisationName=Lægehuset Møllevang", "DepartmentName=Afdeling Birketræ", "UnitName=Enhed Lindetræ")
PARTY = ("Identifier=079741", "IdentifierCode=ydernummer", *UNIT)
PHONE = "TelephoneSubscriberIdentifier=45121314"
SENDER = ("EANIdentifier=5790000121526", *PARTY, *ADDRESS, PHONE, "MedicalSpecialityCode=almen_medicin")
REFERRER = ("Identifier=1A2B3", "IdentifierCode=sorkode", "PersonName=Hans Brandt", "PersonTitle=Speciallæge")
RECEIVER = ("Receiver", "EANIdentifier=5790009999997", *PARTY, *ADDRESS)
NAMES = ("PersonSurnameName=Berggren", "PersonGivenName=Nancy Ann")
CITIZEN = ("CivilRegistrationNumber=2512489996", *NAMES)
MOBILE = ("TelephoneSubscriber", "TelephoneSubscriberIdentifier=44444444", "TelephoneSubscriberCode=mobil")
REFERRED = ("Patient", *CITIZEN, "PersonTitle=Gartner", *ADDRESS, MOBILE, "EmailIdentifier=nancy@berggren.example")
RELATIVE = ("Relative", "RelationCode=mor", "PersonIdentifier=0101501234", *NAMES)
DIAGNOSIS = ("DiagnoseCode=DE119", "DiagnoseTypeCode=SKSdiagnosekode", "DiagnoseText=Type 2-diabetes")
ROLE = "DiagnoseDescriptionCode=bidiagnose"
ADDITIONAL = ("ReferralAdditional", ROLE, *DIAGNOSIS)
STYLES = ("Right", "Center", "Bold", "Italic", "Underline")
WORDS = "".join(f"<{style}>Ryger<Break/>10<Space/>om dagen</{style}>" for style in STYLES)
STYLED = f"Henvises <Space/>{WORDS}<Break/>til <FixedFont>HbA1c<Space/>58{WORDS}<Break/></FixedFont>samtale"
KIND = ("ObjectCode=billede", "ObjectExtensionCode=pdf", "OriginalObjectSize=12345")
REFERENCES = (
    ("Reference", "RefDescription=Røntgenbillede", "URL=https://billeder.example/nancy"),
    ("Reference", "RefDescription=Journalnotat", "SUP=true"),
    ("Reference", "RefDescription=Scanning", ("BIN", "ObjectIdentifier=39dadacc87614d0e96f0f202b24a79c0", *KIND)),
)
VISITATION = ("InformationCode=visitering", f"Information={STYLED}")
EPISODE = "EpisodeOfCareIdentifier=39dadacc87614d0e96f0f202b24a79c1"
EPISODES = ("EpisodeOfCare", "EpisodeOfCareType=forloeb", EPISODE)
REFUSAL = ("RefuseCode=syntaksfejl", "RefuseText=Brev <Break/>kunne<Space/>ikke modtages")


def head(version: str, kind: str, *episode: Spec) -> Spec:
    return ("Letter", "Identifier=SYNBRV00000001", f"VersionCode={version}", f"StatisticalCode={kind}",
            ("Authorisation", *MOMENT), f"TypeCode={kind}", "StatusCode=nytbrev", *episode)


# --- the letters ----------------------------------------------------------------------------------------------------
def municipality_referral(version: str, *category: Spec) -> Spec:
    return ("MunicipalityReferral",
            head(version, "XREF15", EPISODE),
            ("Sender", *SENDER, ("Referrer", *REFERRER)),
            RECEIVER,
            ("AnswerCCReceiver", *PARTY, *ADDRESS, PHONE),
            REFERRED,
            RELATIVE,
            ("Referral", ("Refer", *DIAGNOSIS), ADDITIONAL),
            ("RelevantClinicalInformation", *category, f"Anamnesis={STYLED}"),
            *REFERENCES,
            ("MunicipalityVisitation", *VISITATION))


def municipality_letter(version: str, *category: Spec) -> Spec:
    signed = ("Signed", "Date=2022-03-15", "SignedBy=Lone Sygeplejerske", "JobTitle=Forebyggelseskonsulent")
    return ("MunicipalityLetter",
            head(version, "XDIS15", EPISODE),
            ("Sender", *SENDER, "SpecialityName=Kommunal forebyggelse", ("Contact", *PARTY)),
            RECEIVER,
            ("CCReceiver", *PARTY, *ADDRESS),
            ("Patient", *CITIZEN, *ADDRESS, "OccupancyText=Pensionist"),
            (*RELATIVE, *ADDRESS),
            ("Referral", "Identifier=HENV-2022-0007", ("Received", *MOMENT), ("Refer", *DIAGNOSIS), ADDITIONAL),
            ("Admission", *MOMENT),
            ("Discharge", *MOMENT),
            ("ClinicalInformation", *category, signed, f"Text01={STYLED}"),
            *REFERENCES)


def hospital_referral(version: str, episode: Spec, role: tuple[Spec, ...], wish: tuple[Spec, ...]) -> Spec:
    codes = ("Priority=akut", "ReferralStatus=ambulant", "Transport=ingen")
    texts = [f"{name}={STYLED}" for name in ("Cave", "Anamnesis", "Examination", "ActualMedicine")]
    return ("HospitalReferral",
            head(version, "XREF01", episode),
            ("Sender", *SENDER, ("Referrer", *REFERRER)),
            RECEIVER,
            ("AnswerCCReceiver", *PARTY, *ADDRESS, PHONE),
            REFERRED,
            RELATIVE,
            ("AdditionalInformation", *codes, f"Supplementary={STYLED}", f"ClinicalReason={STYLED}", *wish),
            ("Referral", ("Refer", *role, *DIAGNOSIS), ADDITIONAL),
            ("RelevantClinicalInformation", *texts),
            *REFERENCES,
            ("HospitalVisitation", *VISITATION))


def clinical_email(version: str) -> Spec:
    return ("ClinicalEmail",
            head(version, "XDIS91", EPISODE),
            ("Sender", *SENDER),
            RECEIVER,
            ("Patient", *CITIZEN, *ADDRESS, "OccupancyText=Pensionist", "EpisodeOfCareStatusCode=inaktiv"),
            ("AdditionalInformation", "Priority=rutine", "Subject=Slutstatus"),
            ("ClinicalInformation", f"Text01={STYLED}"),
            *REFERENCES)


def attachment(name: str, version: str, kind: str, *about: Spec) -> Spec:
    content = "Object_Base64Encoded=TmFuY3kgQW5uIEJlcmdncmVu"
    return (name,
            head(version, kind),
            ("Sender", *SENDER),
            RECEIVER,
            *about,
            ("BinaryObject", "ObjectIdentifier=39dadacc-8761-4d0e-96f0-f202b24a79c0", *KIND, content))


def receipt(name: str, version: str, kind: str, *refusal: Spec) -> Spec:
    ours, theirs = "EANIdentifier=5790009999997", "EANIdentifier=5790000121526"
    letter = ("OriginalLetter", "OriginalLetterIdentifier=BRV0000000123", "OriginalVersionCode=XH1530R", *refusal)
    return (name,
            ("Letter", "Identifier=SYNBRV00000001", f"VersionCode={version}", f"StatisticalCode={kind}"),
            ("Sender", ours),
            ("Receiver", theirs),
            ("OriginalEmessage", "OriginalEnvelopeIdentifier=KUV0000000123",
             ("OriginalSender", theirs), ("OriginalReceiver", ours), *refusal, letter))


def emessage(letter: Spec) -> Spec:
    envelope = ("Envelope", ("Sent", *MOMENT), "Identifier=SYNKUV00000001", "AcknowledgementCode=pluspositivkvitt")
    return ("Emessage", envelope, letter)


# --- the network envelope -------------------------------------------------------------------------------------------
META = (
    "Identifier=a1b2c3d4-0000-4000-8000-00000000000f",
    ("Processing", "ProviderIdentifier=Leverandør A", "ServiceIdentifier=Tjeneste B"),
    ("Document", "Format=XML", "Name=MCM:XREF15", "Version=XH1530R", "SizeInBytes=3087"),
    ("Transport", "Type=reliable", "TransformMessage=false", "ServiceTag@name=MCM:STATISTIC=manual"),
)
ERROR = ("Error", "Code=12", "Description=Modtageren Nancy findes ikke")
ORIGINAL = ("OriginalEnvelopeIdentifier=a1b2c3d4-0000-4000-8000-0000000000ff", ("OriginalMessage", *META))


def vans_envelope(content: Spec) -> Spec:
    return ("VANSEnvelope",
            "SenderID@EndPointType=EAN=5790000121526",
            "ReceiverID@EndPointType=CVR=11931316",
            "EnvelopeIdentifier=a1b2c3d4-0000-4000-8000-0000000000aa",
            "SentDateTime=2022-03-14T10:42:00",
            content)


# --- the types ------------------------------------------------------------------------------------------------------
def both(letter: Spec) -> tuple[Spec, Spec]:
    """The letter, and the same about someone with a replacement CPR: the other branch of the citizen's choice."""
    return letter, _with_replacement(letter)


def _with_replacement(letter: Spec) -> Spec:
    if isinstance(letter, str):
        return letter.replace("CivilRegistrationNumber=2512489996", "AlternativeIdentifier=251248NAB1")
    return tuple(_with_replacement(part) for part in letter)


def attachments(name: str, version: str, kind: str) -> tuple[Spec, ...]:
    system = ("SystemInformation=true", "Contents=Opsætning Lindetræ")
    return (*both(attachment(name, version, kind, ("Patient", *CITIZEN))), attachment(name, version, kind, *system))


@dataclass(frozen=True)
class LetterType:
    namespace: str
    letters: tuple[Spec, ...]

    @property
    def documents(self) -> tuple[etree._Element, ...]:
        wrap = vans_envelope if self.namespace == VANS else emessage
        return tuple(grow(wrap(letter), self.namespace) for letter in self.letters)


CATEGORY, WISH = "CategoryCode=sundhedspleje", "HospitalChoice=ALDB00"
TYPES = {
    "XREF15 XH1530R": LetterType(f"{REP}2016/12/01/", both(municipality_referral("XH1530R"))),
    "XREF15 XH1531R": LetterType(f"{REP}2020/05/06/", both(municipality_referral("XH1531R", CATEGORY))),
    "XDIS15 XD1530L": LetterType(f"{REP}2016/12/01/", both(municipality_letter("XD1530L"))),
    "XDIS15 XD1531L": LetterType(f"{REP}2020/05/06/", both(municipality_letter("XD1531L", CATEGORY))),
    "XREF01 XH0130R": LetterType(f"{SUNDCOM}2005/08/07/", both(hospital_referral("XH0130R", EPISODE, (), ()))),
    "XREF01 XH0131R": LetterType(f"{REP}2017/05/01/", both(hospital_referral("XH0131R", EPISODES, (ROLE,), (WISH,)))),
    "XDIS91 XD9134L": LetterType(f"{SUNDCOM}2006/07/01/", both(clinical_email("XD9134L"))),
    "XDIS91 XD9135L": LetterType(f"{REP}2015/08/01/", both(clinical_email("XD9135L"))),
    "XBIN01 XB0131X": LetterType(f"{REP}2012/03/28/", attachments("BinaryLetter", "XB0131X", "XBIN01")),
    "XBIN02 XB0210X": LetterType(f"{REP}2016/10/02/", attachments("ReferralAttachment", "XB0210X", "XBIN02")),
    "XCTL01 XC0130Q": LetterType(f"{SUNDCOM}2005/08/07/",
                                 (receipt("NegativeVansReceipt", "XC0130Q", "XCTL01", *REFUSAL),)),
    "XCTL02 XC0230Q": LetterType(f"{SUNDCOM}2005/08/07/",
                                 (receipt("NegativeReceipt", "XC0230Q", "XCTL02", *REFUSAL),)),
    "XCTL03 XC0330Q": LetterType(f"{SUNDCOM}2005/08/07/",
                                 (receipt("PositiveReceipt", "XC0330Q", "XCTL03"),)),
    "VANSEnvelope 1.0.4": LetterType(VANS, (
        ("Message", ("MetaInformation", *META), "Data=TmFuY3kgQW5uIEJlcmdncmVu"),
        ("Receipt", ("NegativeVans", ERROR, *ORIGINAL)),
        ("Receipt", ("NegativeMessage", ERROR, *ORIGINAL)),
        ("Receipt", ("PositiveMessage", *ORIGINAL)),
    )),
}
# fmt: on


def grow(spec: Spec, namespace: str) -> etree._Element:
    if isinstance(spec, str):
        name, _, text = spec.partition("=")
        name, _, attribute = name.partition("@")
        value, _, text = text.partition("=") if attribute else ("", "", text)
        written = f' {attribute}="{value}"' if attribute else ""
        return etree.fromstring(f'<{name} xmlns="{namespace}"{written}>{text}</{name}>')
    node = etree.Element(f"{{{namespace}}}{spec[0]}", nsmap={None: namespace})
    node.extend(grow(child, namespace) for child in spec[1:])
    return node
