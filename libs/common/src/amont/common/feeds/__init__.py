"""Staff feeds as text: every line becomes a record for the inbound topic, or everything that is wrong with it is said, with its place.

The doors share this room, so that there is one validation: `amont contracts check` looks and sends nothing, `amont hris send` and `amont hris import`
put on the log what passed. `lines` and `csv` read; `record` is what a line is to enrolment; `checking` adds what a record that can be read still gets
wrong; `across` sees what no single line shows. Nothing here opens a file or a connection; what subsidiaries and employees there are is enrolment's.
"""

from amont.common.feeds.findings import KINDS, Finding, Kind, Severity

__all__ = ["KINDS", "Finding", "Kind", "Severity"]
