"""Enrolment: who takes part. People as the HR systems know them, programmes, eligibility and enrolments."""
