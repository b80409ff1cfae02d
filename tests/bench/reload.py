"""A full reload of 180,000 employees, each once, through enrolment on real Kafka and the MongoDB-wire server: rate and memory on the way, then the bare loop.

Memory is this process's resident set, sampled at every fifth of the way. What it was before includes the records that were made to be sent.
"""

import asyncio
import os
import time
from itertools import pairwise
from pathlib import Path

from tests.bench.arena import PATIENCE_SECONDS, Run, applied, arena, until
from tests.bench.staff import staff_record, with_subsidiary

from amont.common.events import StaffRecorded

EMPLOYEES = int(os.environ.get("BENCH_EMPLOYEES", "180000"))


def resident_mb() -> float:
    """This process's memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main() -> None:
    async with arena() as servers:
        await servers.fill(staff_record(number, EMPLOYEES) for number in range(EMPLOYEES))
        print(f"before:        {resident_mb():4.0f} MB", flush=True)
        async with servers.service("enrolment") as service:
            await with_subsidiary(service)
            before, cpu = applied("enrolment"), time.process_time()
            steps = [(0.0, time.perf_counter())]
            await service.start()
            async with asyncio.timeout(PATIENCE_SECONDS):
                for fifth in range(1, 6):
                    await until("enrolment", before + EMPLOYEES * fifth / 5)
                    steps.append((applied("enrolment") - before, time.perf_counter()))
                    (done, began), (now, ended) = list(pairwise(steps))[-1]
                    print(f"after {fifth * 20:3} %:   {resident_mb():4.0f} MB   {(now - done) / (ended - began):7,.0f}/s", flush=True)
            whole = Run(EMPLOYEES / (steps[-1][1] - steps[0][1]), 1e6 * (time.process_time() - cpu) / EMPLOYEES)
        loop = await servers.bare("hris-staff", {StaffRecorded.type_name(): StaffRecorded}, EMPLOYEES)
        print(
            f"\nenrolment {whole.rate:,.0f}/s ({whole.cpu:.0f} µs of Python each), {EMPLOYEES / whole.rate:.0f} s in all; "
            f"bare loop {loop.rate:,.0f}/s, ratio {whole.rate / loop.rate:.0%}"
        )
