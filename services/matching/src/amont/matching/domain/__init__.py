"""Who may meet whom, what a pair is worth and which pairs a round makes: pure rules, no input or output, no clock, no framework."""
