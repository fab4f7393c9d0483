"""Identifier and code systems of Danish health FHIR (facts: dk-core 3.4.0 and the MedCom packages)."""

from typing import Final

CPR: Final = "urn:oid:1.2.208.176.1.2"
X_ECPR: Final = "urn:oid:1.2.208.176.1.6.1.1"
D_ECPR: Final = "urn:oid:1.2.208.176.1.6.1.3"
SOR: Final = "urn:oid:1.2.208.176.1.1"
YDERNUMMER: Final = "urn:oid:1.2.208.176.1.4"
#: the form of all MedCom message standards in force; dk-core 3.5.0 and later write ``http://``
GLN: Final = "https://www.gs1.org/gln"
#: the form from dk-core 3.5.0 on; read as well
GLN_NEW: Final = "http://www.gs1.org/gln"
MUNICIPALITY: Final = "http://hl7.dk/fhir/core/CodeSystem/dk-core-municipality-codes"
MUNICIPALITY_EXTENSION: Final = "http://hl7.dk/fhir/core/StructureDefinition/dk-core-municipalityCodes"
LOINC: Final = "http://loinc.org"
#: Danish laboratories' codes (NPU)
NPU: Final = "urn:oid:1.2.208.176.2.1"
SKS: Final = "urn:oid:1.2.208.176.2.4.12"
ICPC2: Final = "urn:oid:1.2.208.176.2.31"

#: name and address protection (dk-core Patient, ``meta.security``)
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RESTRICTED: Final = "R"

#: our own identifiers in the team's message; the values are what a team event quotes
ASSIGNMENT_ID: Final = "urn:municipal-referral-gateway:assignment"
CASE_ID: Final = "urn:municipal-referral-gateway:case"
TEAM: Final = "urn:municipal-referral-gateway:team"
#: a letter's id as its sender gave it; unique together with the assigner's GLN
LETTER_ID: Final = "urn:municipal-referral-gateway:letter"
EPISODE_ID: Final = "urn:municipal-referral-gateway:episode-of-care"

#: code systems of MedCom's FHIR standards
MEDCOM_TERMINOLOGY: Final = "http://medcomfhir.dk/ig/terminology/CodeSystem"
