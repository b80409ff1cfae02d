"""The SCIM 2.0 door: `/scim/<tenant>/v2` for each subsidiary. `schemas` is what it understands, `door` the route, `storage` what the library calls."""

from amont.enrolment.api.scim.door import Door

__all__ = ["Door"]
