"""The municipal referral gateway: MedCom and FHIR referrals in, FSIII §119 decisions and letters out."""
