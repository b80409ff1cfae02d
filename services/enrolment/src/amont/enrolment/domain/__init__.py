"""The rules of enrolment, pure: subsidiaries, staff records in time, programmes, eligibility, enrolments. No I/O, no clock, no randomness."""
