"""What the watched certificates are called, and what to do about each; Danish, shared by page and command."""

from collections.abc import Mapping

from gateway.certificates.state import Problem, Standing, State

#: by ``gateway.certificates.state.Watched.name``: what it is used for
CERTIFICATE_NAMES: Mapping[str, str] = {
    "page": "siden og FHIR over HTTP: filen",
    "page_served": "siden og FHIR over HTTP: det, der vises nu",
    "kl": "systemcertifikat til KL's gateway",
    "broker": "RabbitMQ: serverens certifikat",
    "broker_client": "RabbitMQ: gatewayens eget certifikat",
    "broker_trusted": "RabbitMQ: udsteder, som gatewayen stoler på",
    "database": "databasen: serverens certifikat",
    "database_client": "databasen: gatewayens eget certifikat",
    "database_trusted": "databasen: udsteder, som gatewayen stoler på",
}
CERTIFICATE_STATES: Mapping[str, str] = {
    "unreadable": "kan ikke læses",
    "expired": "udløbet",
    "not_yet": "gælder ikke endnu",
    "urgent": "udløber om få dage",
    "soon": "udløber snart",
    "silent": "kan ikke ses nu",
    "fine": "i orden",
}
_OWN = "Bestil et nyt certifikat, læg det i samme fil, og genstart gatewayen."
_TRUSTED = "Få det nye udstedercertifikat af den, der driver serveren, læg det i filen, og genstart gatewayen."
#: by name: what to do before the certificate ends, and when it has ended
RENEWALS: Mapping[str, str] = {
    "page": _OWN,
    "page_served": "Genstart gatewayen, når filen er fornyet; indtil da viser den det gamle certifikat.",
    "kl": "Bestil et nyt systemcertifikat, få det registreret hos KL (to ugers varsel), og læg det i samme fil.",
    "broker": "Bed den, der driver RabbitMQ, om at forny serverens certifikat.",
    "broker_client": _OWN,
    "broker_trusted": _TRUSTED,
    "database": "Bed den, der driver databasen, om at forny serverens certifikat.",
    "database_client": _OWN,
    "database_trusted": _TRUSTED,
}
PROBLEMS: Mapping[Problem, str] = {
    Problem.MISSING: "Filen findes ikke: læg den der, eller ret indstillingen.",
    Problem.FORBIDDEN: "Gatewayens bruger må ikke læse filen: ret filens rettigheder.",
    Problem.NO_CERTIFICATE: "Der er intet certifikat i filen: den skal være PEM og begynde med BEGIN CERTIFICATE.",
    Problem.SILENT: "Serveren svarer ikke; certifikatet ses igen, når den gør.",
}
CHECK_THE_CLOCK = "Kontrollér maskinens ur. Går det rigtigt, så brug det forrige certifikat, til dette gælder."
NOTHING_TO_DO = "Intet."


def advice(standing: Standing) -> str:
    """What someone can do."""
    if standing.problem is not None:
        return PROBLEMS[standing.problem]
    if standing.state is State.NOT_YET:
        return CHECK_THE_CLOCK
    return NOTHING_TO_DO if standing.state is State.FINE else RENEWALS[standing.watched.name]
