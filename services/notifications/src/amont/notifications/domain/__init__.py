"""Who is told what, by which event, and what becomes of each delivery: pure rules, no input or output, no clock, no framework, no words."""
