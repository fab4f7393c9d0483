"""Danish words for states, steps and kinds that the page shows; English ones stand in ``english.tsv``."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.console.alarm_wording import ALARM_KINDS, ALARM_LEVELS
from gateway.console.case_wording import CAME, PLACES
from gateway.console.certificate_wording import CERTIFICATE_NAMES, CERTIFICATE_STATES
from gateway.console.receipt_wording import RECEIPT_ADVICE, RECEIPT_FILTERS, RECEIPT_STATES, REFUSALS, RESENDS
from gateway.mapping.explanation import wordings

STATES = {
    "for_review": "til vurdering",
    "drafted_return": "svar til godkendelse",
    "info_requested": "afventer oplysninger",
    "referral_requested": "afventer henvisning",
    "accepted": "visiteret",
    "contacted": "kontaktet",
    "talk_booked": "samtale aftalt",
    "talk_held": "samtale holdt",
    "course_started": "forløb i gang",
    "course_completed": "forløb gennemført",
    "closing_talk_held": "afsluttende samtale holdt",
    "follow_up": "opfølgning",
    "closed": "afsluttet",
    "not_reached": "ikke truffet",
    "declined_by_citizen": "afslået af borgeren",
    "stopped": "stoppet",
    "cancelled_by_referrer": "annulleret af henviser",
    "reassigned": "overgivet",
    "returned": "besvaret",
}
WAITS = {
    "decision": "beslutning",
    "referrer": "svar fra henviser",
    "team": "accept fra team",
    "talk": "første samtale",
    "course": "forløbet kører",
    "discharge": "afslutningsnotat",
    "nothing": "intet",
}
EVENTS = {
    "accepted": "accepteret af team",
    "review_decided": "vurdering afgjort",
    "returned": "svar til henviser godkendt",
    "info_requested": "oplysninger efterspurgt",
    "info_received": "oplysninger modtaget",
    "referral_requested": "henvisning efterspurgt",
    "contacted": "borger kontaktet",
    "not_reached": "borger ikke truffet",
    "talk_booked": "samtale aftalt",
    "talk_held": "samtale holdt",
    "course_started": "forløb startet",
    "session_held": "session holdt",
    "no_show": "udeblivelse",
    "referred_on": "henvist videre internt",
    "course_completed": "forløb gennemført",
    "closing_talk_held": "afsluttende samtale holdt",
    "follow_up_held": "opfølgning holdt",
    "stopped": "stoppet",
    "declined_by_citizen": "afslået af borgeren",
    "reassigned": "overgivet til andet team",
    "withdrawn": "hændelse trukket tilbage",
    "closed": "lukket",
}
OUTCOMES = {"accepted": "visiteret automatisk", "review": "til vurdering", "return": "udkast til svar"}
KINDS = {
    "XDIS91": "statusbrev",
    "DIS91": "statusbrev",
    "XDIS15": "afslutningsnotat",
    "XCTL02": "negativ kvittering",
    "XCTL03": "positiv kvittering",
    "CTL02": "negativ kvittering",
    "CTL03": "positiv kvittering",
    "VANSReceipt": "VANS-kvittering",
    "Acknowledgement": "FHIR-kvittering",
    "CareCommunication": "korrespondance",
    "Task": "opgave",
    "Communication": "videregivet brev",
}
STATUSES = {
    "draft": "udkast",
    "superseded": "udkast bortfaldet",
    "pending": "på vej",
    "sent": "sendt",
    "parked": "kunne ikke sendes",
}
VERDICTS = {"delivered": "leveret", "refused": "afvist af modtageren"}
QUEUE_PURPOSES = {
    "in": "beskeder, der venter på at blive læst",
    "events": "hændelser fra teams, der venter på at blive læst",
    "retry": "prøves igen af sig selv",
    "net": "sikkerhedsnet; skal være tom",
    "work": "læses lige nu",
    "parked": "lagt til side; de står under Parkeret",
    "out": "breve og kvitteringer, som VANS-klienten ikke har hentet",
    "team": "opgaver, som teamet ikke har hentet",
}
PARKED_STATES = {"open": "åben", "discarded": "kasseret", "replayed": "genafspillet", "settled": "afklaret"}
RIGHTS = {
    "metadata": "se tal og tilstande",
    "content": "se indhold",
    "decide": "beslutte",
    "replay": "genafspille og sende igen",
    "discard": "kassere",
    "administer": "administrere",
}
ACTS = {
    "login": "logget ind",
    "login.failed": "forkert adgangskode",
    "logout": "logget ud",
    "case.seen": "forløb set",
    "case.cpr_seen": "fuldt CPR set på forløb",
    "case.noted": "note skrevet",
    "case.accepted": "forslag taget, som det stod",
    "case.review_decided": "vurdering afgjort",
    "case.returned": "svar til henviser godkendt",
    "case.info_requested": "oplysninger efterspurgt",
    "case.reassigned": "overgivet til andet team",
    "message.seen": "besked set",
    "message.cpr_seen": "fuldt CPR set i besked",
    "letter.seen": "brev set",
    "letter.resent": "brev sendt igen",
    "citizen.searched": "søgt på CPR",
    "audit.seen": "loggen set",
    "audit.fetched": "loggen hentet som CSV",
    "report.built": "indberetning til KL bygget",
    "report.sent": "indberetning til KL sendt",
    "parked.replayed": "genafspillet",
    "parked.corrected": "rettet og genafspillet",
    "parked.discard_asked": "kassering foreslået",
    "parked.discard_declined": "kassering afvist",
    "parked.discarded": "kasseret",
    "account.added": "konto oprettet",
    "account.password": "adgangskode ændret",
    "account.rights": "rettigheder ændret",
    "account.enabled": "konto åbnet",
    "account.disabled": "konto lukket",
}

WORDINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "state": STATES,
        "waits": WAITS,
        "event": EVENTS,
        "outcome": OUTCOMES,
        "kind": KINDS,
        "came": CAME,
        "place": PLACES,
        "status": STATUSES,
        "verdict": VERDICTS,
        "parked": PARKED_STATES,
        "queue": QUEUE_PURPOSES,
        "right": RIGHTS,
        "act": ACTS,
        "alarm": ALARM_KINDS,
        "level": ALARM_LEVELS,
        "certificate": CERTIFICATE_NAMES,
        "certificate_state": CERTIFICATE_STATES,
        "watch": RECEIPT_FILTERS,
        "receipt": RECEIPT_STATES,
        "receipt_advice": RECEIPT_ADVICE,
        "refusal": REFUSALS,
        "resend": RESENDS,
    }
)


def programme_name(name: str) -> str:
    """A programme's Danish title; without a programme, that."""
    found = wordings().get(name)
    return found.title if found else name or "uden program"
