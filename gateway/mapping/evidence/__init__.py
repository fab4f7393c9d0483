"""Codes, prose and values of one referral weighed by the rules of decision.md §§3–6; each rule a named function."""
