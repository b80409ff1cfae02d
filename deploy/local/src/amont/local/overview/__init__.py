"""The demo's pages: the programme at a glance, one page per pair, one per mail. For looking, on this machine only; they change nothing.

Everything is server-rendered and works without JavaScript. Names are shown because they are made up: a group's Amont has no such pages. What is
shown is read over the same HTTP API that everybody uses, and from the log and the mail folder where there is no question for it.
"""

from amont.local.overview.pages import pages
from amont.local.overview.reading import KNOWN_TO_THE_DEMO, Overview

__all__ = ["KNOWN_TO_THE_DEMO", "Overview", "pages"]
