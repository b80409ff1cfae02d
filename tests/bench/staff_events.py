"""Staff events through enrolment with every guarantee on, against a bare loop, on the same real Kafka and MongoDB-wire server.

20,000 records of about 600 bytes on 10,000 people; the two alternate, and the first round warms the servers. The headline of `make bench`.
"""

import statistics

from tests.bench.arena import RECORDS, ROUNDS, Run, Spent, arena
from tests.bench.staff import staff_record, with_subsidiary

from amont.common.events import StaffRecorded

KINDS = {StaffRecorded.type_name(): StaffRecorded}


async def main() -> None:
    bare: list[Run] = []
    guarded: list[Run] = []
    async with arena() as servers:
        await servers.fill(staff_record(number) for number in range(RECORDS))
        for number in range(ROUNDS + 1):
            spent = Spent()
            loop = await servers.bare("hris-staff", KINDS, RECORDS)
            ours = await servers.run("enrolment", RECORDS, begin=with_subsidiary, spent=spent)
            if number == 0:
                continue
            bare.append(loop)
            guarded.append(ours)
            print(
                f"round {number}: bare loop {loop.rate:7,.0f}/s ({loop.cpu:3.0f} µs of Python each)   "
                f"enrolment {ours.rate:7,.0f}/s ({ours.cpu:3.0f} µs)   ratio {ours.rate / loop.rate:.0%}",
                flush=True,
            )
            print(
                "         waited, of the whole: " + ", ".join(f"{name} {s * ours.rate / RECORDS:.0%}" for name, s in spent.seconds.items())
            )
    ratio = statistics.median(ours.rate / loop.rate for ours, loop in zip(guarded, bare, strict=True))
    print(
        f"\nmedian: bare loop {statistics.median(run.rate for run in bare):,.0f}/s, "
        f"enrolment {statistics.median(run.rate for run in guarded):,.0f}/s, ratio {ratio:.0%}"
    )
