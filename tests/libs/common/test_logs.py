"""What a service writes into its log of what client libraries say."""

import json
import subprocess
import sys

PROGRAM = """
import logging as library, time
from amont.common import logging
logging.FOLDED_SECONDS = 0.5
logging.configure(json=True)
client, other = library.getLogger("aiokafka"), library.getLogger("pymongo")
for number in range(500):
    client.error("Unable connect to node with id %s: %s", number, "refused")
client.error("Unable to update metadata from %s", [0])
other.error("gone")
other.error("gone")
time.sleep(0.6)
client.error("Unable connect to node with id %s: %s", 7, "refused")
"""


def test_that_kafka_is_away_is_told_now_and_then_and_not_hundreds_of_times_a_second() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stderr
    assert [json.loads(line)["event"] for line in said.splitlines()] == [
        "Unable connect to node with id 0: refused",
        "Unable to update metadata from [0]",
        "gone",
        "gone",
        "Unable connect to node with id 7: refused (and 499 times since this was last told)",
    ]
