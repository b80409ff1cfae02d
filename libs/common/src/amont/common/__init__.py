"""What every Amont service shares: the contracts (`events`), the delivery shell (`work`, `service`), two ports (`documents`, `log`) and the web edge.

The shared library knows no service; no service knows another.
"""
