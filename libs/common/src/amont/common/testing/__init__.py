"""What tests need: clock, ids, running services, the promises, ports in memory, the simulator."""
