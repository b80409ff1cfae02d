"""What tests over HTTP share: clients of the usual people, problems and their pointers."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from amont.common.identity import Privilege
from amont.common.testing.hearing import Hearing

API = "/api/enrolment/v1"


def group(enrolment: Hearing) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return enrolment.client("fr:boss", Privilege.GROUP_COORDINATOR)


def coordinator(enrolment: Hearing, tenant: str = "fr") -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return enrolment.client(f"{tenant}:coord", Privilege.COORDINATOR)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json().get("type")) == (status, f"urn:amont:problem:{code}"), answer.text
    body: dict[str, Any] = answer.json()
    return body


def pointers(answer: httpx.Response) -> list[str]:
    return [fault["pointer"] for fault in answer.json()["errors"]]


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
