"""Who meets whom: rounds and pairs, on what the other services tell about people, enrolments and programmes."""
