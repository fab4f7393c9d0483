"""What can go wrong, what we do about it, and what the sender is told.

::

    GatewayError
    ├── NeighbourError        GW-2xx  something beside us is broken; never counts against a message
    │   ├── BrokerError       GW-201
    │   ├── StoreError        GW-202
    │   ├── SpoolError        GW-203
    │                         GW-205  a letter that its transport would not take (kept with the letter)
    │                         GW-206  a letter without a fact that its standard demands (kept with the letter)
    │   └── KlGatewayError    GW-207
    ├── StoreRefusedError             the database refused what it was given; counts against the message
    ├── ConflictError                 someone changed the same case first; the batch is redone singly
    └── ConfigurationError    GW-3xx  our own set-up is wrong; the service refuses to start

Faults of a *message* (GW-1xx) are values, not exceptions: ``Fault`` names a row of ``FAULTS``, and the receipt
follows from the row. Ids never change; texts may. Texts name ids, elements and rules, never content of the message.
Refuse codes: MedCom XCTL02 ``RefuseCode`` (``facts``: NegativeReceipt, EDIFACT FTX qualifiers). Issue codes: value set
``medcom-acknowledgement-issue-details`` of the MedCom FHIR terminology package.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class GatewayError(Exception):
    """Root of everything this gateway raises on purpose."""


class NeighbourError(GatewayError):
    """A neighbour (broker, database, disk) does not answer: stop, back off, resume."""

    id = "GW-200"
    #: what health and the page call it
    neighbour = "neighbour"


class BrokerError(NeighbourError):
    """RabbitMQ does not answer, or closed the channel."""

    id = "GW-201"
    neighbour = "broker"


class StoreError(NeighbourError):
    """The database does not answer, is read-only or full."""

    id = "GW-202"
    neighbour = "database"


class SpoolError(NeighbourError):
    """The spool folder cannot be read or written."""

    id = "GW-203"
    neighbour = "spool folder"


class KlGatewayError(NeighbourError):
    """KL's gateway does not answer, or answers that it is not to be talked to so; the reports wait."""

    id = "GW-207"


class StoreRefusedError(GatewayError):
    """The database refused a value of ours; the text names the driver's error class only."""


class ConflictError(GatewayError):
    """Another process saved the same letter or case between our look and our save."""


class ConfigurationError(GatewayError):
    """Settings, municipality file, tables or topology are wrong; the text says which and how to mend it."""

    def __init__(self, fault_id: str, text: str) -> None:
        super().__init__(f"{fault_id} {text}")
        self.id = fault_id


class RefuseCode(StrEnum):
    """MedCom's five refuse codes (XCTL02 ``RefuseCode``)."""

    UNSPECIFIED = "ikke_specificeret"
    UNKNOWN_LOCATION = "ukendt_lokationsnummer"
    RECEIVER_ID = "problem_med_modtagerID"
    VERSION = "problem_med_version"
    SYNTAX = "syntaksfejl"


class Disposition(StrEnum):
    """What happens to a message with this fault."""

    #: negative receipt when a sender can be read; the message is parked with its reason either way
    REFUSE = "refuse"
    #: nobody is told; the message is parked with its reason
    PARK = "park"
    #: delayed retries; parked after the last one
    RETRY = "retry"


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the closed table of message faults."""

    #: stable id, ``GW-1nn``
    id: str
    disposition: Disposition
    medcom: RefuseCode
    #: code of the FHIR acknowledgement's issue details
    fhir: str
    #: what the sender and the operator read, Danish
    text: str
    #: what the operator can do, Danish
    advice: str


def _rows(*rows: FaultRow) -> Mapping[str, FaultRow]:
    table = {row.id: row for row in rows}
    if len(table) != len(rows):
        raise ConfigurationError("GW-303", "a fault id stands twice")
    return MappingProxyType(table)


def _row(number: int, medcom: RefuseCode, fhir: str, text: str, advice: str) -> FaultRow:
    return FaultRow(
        id=f"GW-{number}", disposition=Disposition.REFUSE, medcom=medcom, fhir=fhir, text=text, advice=advice
    )


def _parked(number: int, text: str, advice: str) -> FaultRow:
    return FaultRow(
        id=f"GW-{number}",
        disposition=Disposition.PARK,
        medcom=RefuseCode.UNSPECIFIED,
        fhir="MSG_NO_MATCH",
        text=text,
        advice=advice,
    )


#: what an attack looks like too (a DOCTYPE, a program as attachment): told as a security event beside the refusal
SECURITY_FAULTS = frozenset({"GW-103", "GW-114"})

_ASK_SENDER = "Kontakt afsenderen; beskeden skal sendes igen, rettet og med nye id'er."
_TO_SUPPLIER = "Send fejlteksten til afsenderens leverandør; beskeden skal sendes igen i gyldig form."

FAULTS: Mapping[str, FaultRow] = _rows(
    _row(101, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Beskeden er tom eller i et ukendt format.", _ASK_SENDER),
    _row(102, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Beskeden er ikke velformet XML eller JSON.", _TO_SUPPLIER),
    _row(103, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Beskeden indeholder en DOCTYPE og modtages ikke.", _TO_SUPPLIER),
    _row(104, RefuseCode.UNSPECIFIED, "MSG_Element_To_Long", "Beskeden er større end tilladt.", _ASK_SENDER),
    _row(
        110,
        RefuseCode.VERSION,
        "MSG_RECEIVER_UNABLE_TO_RECEIVE_MSG_TYPE",
        "Beskedtypen modtages ikke her.",
        "Kontrollér i SOR, hvilke beskedtyper lokationsnummeret er tilmeldt.",
    ),
    _row(
        111,
        RefuseCode.VERSION,
        "MSG_RECEIVER_UNABLE_TO_RECEIVE_MSG_TYPE",
        "Beskedens version modtages ikke her.",
        "Afsenderen skal bruge en version, som lokationsnummeret er tilmeldt i SOR.",
    ),
    _parked(
        112,
        "Rettelsen nævner en anden borger end den henvisning, forløbs-id'et hører til.",
        "Afklar med afsenderen, hvilken borger der henvises; stop det forløb, der ikke gælder.",
    ),
    _row(
        113,
        RefuseCode.UNSPECIFIED,
        "MSG_NO_MATCH",
        "Annulleringen gælder ikke en henvisning, der er åben her.",
        "Kontrollér forløbs-id og borger; er henvisningen kommet siden, skal annulleringen sendes igen.",
    ),
    _row(
        114,
        RefuseCode.UNSPECIFIED,
        "MSG_PARAM_INVALID",
        "Brevet har et bilag af en filtype, som ikke modtages her.",
        "Programmer modtages ikke; aftal en anden filtype med afsenderen.",
    ),
    _row(
        115,
        RefuseCode.UNSPECIFIED,
        "MSG_Element_To_Long",
        "Brevet har et bilag, der er større end tilladt.",
        "Grænsen står i kommunefilen under [attachments]; aftal et mindre bilag med afsenderen.",
    ),
    _row(
        116,
        RefuseCode.SYNTAX,
        "MSG_BAD_SYNTAX",
        "Brevet har et bilag, der ikke kan pakkes ud, eller to med samme id.",
        _TO_SUPPLIER,
    ),
    _parked(117, "Brevet er ældre end den rettelse, forløbet følger.", "Se efter, at rettelsen siger det hele."),
    _row(120, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Brevet overholder ikke standardens skema.", _TO_SUPPLIER),
    _row(121, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Kuverten overholder ikke standardens skema.", _TO_SUPPLIER),
    _row(122, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Kuvertens indhold kan ikke pakkes ud.", _TO_SUPPLIER),
    _row(
        125,
        RefuseCode.SYNTAX,
        "MSG_BAD_SYNTAX",
        "FHIR-beskeden har et ukendt, manglende eller forkert opbygget element.",
        _TO_SUPPLIER,
    ),
    _row(
        126,
        RefuseCode.SYNTAX,
        "MSG_Datatype_Wrong",
        "En værdi i FHIR-beskeden har ikke sin datatypes form.",
        _TO_SUPPLIER,
    ),
    _row(
        127,
        RefuseCode.SYNTAX,
        "MSG_VALUESET_VALUE_UNKNOWN",
        "En kode i FHIR-beskeden er ikke i værdisættet.",
        _TO_SUPPLIER,
    ),
    _row(
        128,
        RefuseCode.SYNTAX,
        "MSG_DATE_FORMAT",
        "Et tidspunkt i FHIR-beskeden er ugyldigt eller mangler tidszone.",
        _TO_SUPPLIER,
    ),
    _row(129, RefuseCode.SYNTAX, "MSG_UNKNOWN_TYPE", "FHIR-beskeden har en ukendt ressourcetype.", _TO_SUPPLIER),
    _row(123, RefuseCode.SYNTAX, "MSG_BAD_SYNTAX", "Beskeden er ikke velformet EDIFACT.", _TO_SUPPLIER),
    _row(
        124,
        RefuseCode.SYNTAX,
        "MSG_BAD_SYNTAX",
        "EDIFACT-beskedens tællere og henvisninger passer ikke til dens indhold.",
        "Noget kan være gået tabt undervejs; afsenderen skal sende igen.",
    ),
    _row(
        130,
        RefuseCode.UNKNOWN_LOCATION,
        "MSG_Receiver_Identifier_UNKNOWN",
        "Modtagerens lokationsnummer kendes ikke her.",
        "Kontrollér lokationsnummeret i kommunefilen og i SOR.",
    ),
    _row(
        131,
        RefuseCode.RECEIVER_ID,
        "MSG_Receiver_Identifier_UNKNOWN",
        "Brevet er adresseret til en anden kommune.",
        "Afsenderen skal sende henvisningen til den rette kommune.",
    ),
    _row(
        140,
        RefuseCode.UNSPECIFIED,
        "MSG_ID_INVALID",
        "Brevets personnummer kan ikke findes i virkeligheden.",
        "Bed afsenderen rette personnummeret og sende igen.",
    ),
    _row(
        141,
        RefuseCode.UNSPECIFIED,
        "MSG_DATE_FORMAT",
        "Beskeden har et tidspunkt eller tal, der ikke kan findes i virkeligheden.",
        _ASK_SENDER,
    ),
    _row(
        142,
        RefuseCode.SYNTAX,
        "MSG_NO_EXIST",
        "En reference peger på en ressource, som ikke er med i FHIR-beskeden.",
        _TO_SUPPLIER,
    ),
    _row(143, RefuseCode.SYNTAX, "MSG_DUPLICATE_ID", "To ressourcer i FHIR-beskeden har samme id.", _TO_SUPPLIER),
    _row(
        144,
        RefuseCode.SYNTAX,
        "MSG_RESOURCE_NOT_ALLOWED",
        "FHIR-beskeden handler om mere end én borger eller henvisning.",
        "Afsenderen skal sende én besked for hver borger og hver henvisning.",
    ),
    _row(
        145,
        RefuseCode.SYNTAX,
        "MSG_RESOURCE_REQUIRED",
        "FHIR-beskeden mangler noget, som MedComs regler for beskeder kræver.",
        _TO_SUPPLIER,
    ),
    _row(
        146,
        RefuseCode.RECEIVER_ID,
        "MSG_Receiver_Identifier_MISSING",
        "FHIR-beskeden siger ikke, hvem der er modtager.",
        _TO_SUPPLIER,
    ),
    _row(
        147,
        RefuseCode.UNSPECIFIED,
        "MSG_ID_INVALID",
        "FHIR-beskeden har ikke et brugbart id for borgeren eller afsenderen.",
        _ASK_SENDER,
    ),
    _row(
        148,
        RefuseCode.UNSPECIFIED,
        "MSG_PARAM_INVALID",
        "Henvisningens status passer ikke til beskedens hændelse.",
        _ASK_SENDER,
    ),
    _row(
        149,
        RefuseCode.SYNTAX,
        "MSG_PARAM_UNKNOWN",
        "FHIR-beskeden har et element, som ændrer betydningen og ikke kendes her.",
        "Beskeden må ikke læses uden elementet; aftal med afsenderen at sende uden.",
    ),
    _row(
        150,
        RefuseCode.UNSPECIFIED,
        "MSG_DUPLICATE_ID",
        "Kuvertens id er brugt før med et andet brev.",
        "Afsenderens system genbruger kuvertnumre; kontakt leverandøren.",
    ),
    _parked(
        151,
        "Brevets id er brugt før med et andet indhold; det første brev gælder.",
        "Sammenlign de to breve og kontakt afsenderen.",
    ),
    _parked(160, "Teamets hændelse kan ikke læses.", "Ret hændelsen, og send den igen med samme hændelses-id."),
    _parked(
        161,
        "Teamets hændelse hører ikke til et kendt forløb.",
        "Er henvisningen kommet siden, så genafspil hændelsen; ellers kontrollér forløbs-id eller sags-id.",
    ),
    _parked(162, "Trinnet er ikke muligt, hvor forløbet er nu.", "Se forløbets tilstand og de mulige trin."),
    _parked(163, "Forløbs-id'et bruges af flere forløb.", "Send hændelsen igen med case_id."),
    _parked(164, "Kvitteringen kan ikke læses.", "Kvitteringer besvares ikke; kontakt afsenderens leverandør."),
    _parked(
        165, "Korrespondancen passer ikke til et kendt forløb.", "Find borgerens forløb, eller kontakt afsenderen."
    ),
    _parked(166, "Korrespondancen passer til flere forløb.", "Afgør, hvilket forløb brevet hører til."),
    _parked(167, "Korrespondancens forløb er en anden borgers.", "Kontakt afsenderen; brevet er ikke lagt i forløbet."),
    _parked(
        168,
        "Bilaget venter på et brev om borgeren, der nævner det.",
        "Kommer brevet, knyttes bilaget til det af sig selv; ellers kontakt afsenderen.",
    ),
    _parked(
        170, "Kvitteringen passer ikke til et brev, vi har sendt.", "Kontrollér id'erne; kassér, hvis den er fejlsendt."
    ),
    _parked(
        171,
        "Kopimodtagerens lokationsnummer er ukendt; kopien er ikke sendt.",
        "Skriv kopimodtagerens lokationsnummer i kommunefilens adresseliste.",
    ),
    _parked(172, "Brevet er afvist af modtageren.", "Læs årsagen, ret fejlen, og send brevet igen."),
    FaultRow(
        id="GW-190",
        disposition=Disposition.RETRY,
        medcom=RefuseCode.UNSPECIFIED,
        fhir="MSG_Mailbox_Out_Of_Operation",
        text="Beskeden kunne ikke behandles på grund af en fejl i gatewayen.",
        advice="Meld fejlen til udvikleren; genafspil beskeden, når fejlen er rettet.",
    ),
    _parked(
        191, "Beskeden er opgivet af RabbitMQ (for mange leveringer).", "Meld det til udvikleren; genafspil beskeden."
    ),
    FaultRow(
        id="GW-192",
        disposition=Disposition.RETRY,
        medcom=RefuseCode.UNSPECIFIED,
        fhir="MSG_Mailbox_Out_Of_Operation",
        text="Beskeden kan ikke modtages lige nu.",
        advice="Afsenderen sender den igen om lidt; få naboen (RabbitMQ, database) op at køre.",
    ),
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault found in a message: which row, and where or which rule (never content)."""

    #: key into ``FAULTS``
    id: str
    #: element names, lengths, expected values; safe in a receipt and in a log
    detail: str = ""

    @property
    def row(self) -> FaultRow:
        """The table row that says what happens and what is told."""
        return FAULTS[self.id]

    @property
    def text(self) -> str:
        """Danish text for receipt, page and ``explain``: the row's text and the detail."""
        return f"{self.row.text} {self.detail}".strip()
