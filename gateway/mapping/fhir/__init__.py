"""FHIR messages, read and written."""
