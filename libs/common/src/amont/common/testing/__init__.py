"""What tests need: clock, ids, running services."""
