"""The §119 delivery report for KL (implementation guide kl.dk.fhir.prevention 2.1.1): case history → Bundle, pure."""
