"""What people are told: one delivery per event, recipient and channel."""
