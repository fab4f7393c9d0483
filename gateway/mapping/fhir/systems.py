"""Identifier and code systems of Danish health FHIR (facts: dk-core 3.4.0 and the MedCom packages)."""

from typing import Final

CPR: Final = "urn:oid:1.2.208.176.1.2"
X_ECPR: Final = "urn:oid:1.2.208.176.1.6.1.1"
D_ECPR: Final = "urn:oid:1.2.208.176.1.6.1.3"
SOR: Final = "urn:oid:1.2.208.176.1.1"
YDERNUMMER: Final = "urn:oid:1.2.208.176.1.4"
#: the form of all MedCom message standards in force; dk-core 3.5.0 and later write ``http://``
GLN: Final = "https://www.gs1.org/gln"
SKS: Final = "urn:oid:1.2.208.176.2.4.12"
ICPC2: Final = "urn:oid:1.2.208.176.2.31"

#: our own identifiers in the team's message; the values are what a team event quotes
ASSIGNMENT_ID: Final = "urn:municipal-referral-gateway:assignment"
CASE_ID: Final = "urn:municipal-referral-gateway:case"
TEAM: Final = "urn:municipal-referral-gateway:team"
EPISODE_ID: Final = "urn:municipal-referral-gateway:episode-of-care"

#: code systems of MedCom's FHIR standards
MEDCOM_TERMINOLOGY: Final = "http://medcomfhir.dk/ig/terminology/CodeSystem"
