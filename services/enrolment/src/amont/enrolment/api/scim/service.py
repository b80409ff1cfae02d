"""The SCIM protocol as this door speaks it: the library's, with a subsidiary's grade codes among its schemas, and without a lost race for the innocent."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from typing import Any

from scim2_models import InvalidFilterException, PatchOp, PreconditionFailedException, Resource, ResourceType, SearchRequest
from scim2_server.conditions import Conditions
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from amont.common.errors import Unavailable
from amont.enrolment.api.scim.limits import filter_must_be_short, filter_must_compare_little, named, paths_must_be_short
from amont.enrolment.api.scim.paths import body_must_be_qualified, filter_must_be_qualified, path_must_be_qualified, paths_of, says_active
from amont.enrolment.api.scim.schemas import PROVIDER, AmontEmployee, User
from amont.enrolment.api.scim.storage import TenantStorage

AGAIN_SECONDS = 5.0
"""For how long a change without If-Match is made again after somebody was faster."""
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.25
CHANGES = {"PUT", "PATCH", "DELETE"}


class TenantService(ScimService):
    """The protocol for one subsidiary."""

    def __init__(self, grades: Iterable[str]) -> None:
        super().__init__(PROVIDER)
        self._grades = sorted(grades)

    def apply_replacement(self, current: Resource[Any], replacement: Resource[Any], conditions: Conditions) -> Resource[Any] | None:
        """An extension that a PUT does not name stays as it is: who does not know it cannot mean to clear it (RFC 7644, section 3.5.1, leaves it to us)."""
        for extension in type(current).get_extension_models().values():
            if replacement[extension] is None:
                replacement[extension] = current[extension]
        changed = super().apply_replacement(current, replacement, conditions)
        return current if changed is None and _is_inactive(current) else changed

    def apply_patch(self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions) -> Resource[Any] | None:
        """Whoever is inactive and is said to be so again is written again, as by a PUT: their leaving may have been dropped."""
        changed = super().apply_patch(current, patch_op, conditions)
        return current if changed is None and _is_inactive(current) and says_active(patch_op) else changed

    def read_patch(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> "PatchOp[Any]":
        """Raises InvalidPathException for an attribute of an extension without the extension's name, which the library would drop without a word, and for
        paths that are too long.
        """
        paths_must_be_short(self.decode_body(body, content_type))
        patch = super().read_patch(resource_type, body, content_type)
        extensions = self.get_model(resource_type).get_extension_models()
        for path in paths_of(patch):
            path_must_be_qualified(path, extensions)
        return patch

    def read_creation(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        """Raises InvalidSyntaxException as `read_patch` does: a person whose grade is dropped would wait without anybody being told."""
        self._must_be_qualified(resource_type, body, content_type)
        return super().read_creation(resource_type, body, content_type)

    def read_replacement(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> Resource[Any]:
        """Raises InvalidSyntaxException, the same."""
        self._must_be_qualified(resource_type, body, content_type)
        return super().read_replacement(resource_type, body, content_type)

    def read_search(self, resource_types: list[ResourceType], payload: Any) -> tuple[SearchRequest[Any], Any]:
        """Every search comes through here, by GET or POST. Raises InvalidFilterException for a filter that is too long or compares too much, and with the
        name that was meant for an attribute of an extension without the extension's name.
        """
        filter_must_be_short(payload)
        try:
            search, position = super().read_search(resource_types, payload)
        except InvalidFilterException:
            extensions = {uri: one for each in resource_types for uri, one in self.get_model(each).get_extension_models().items()}
            for given in named(payload, "filter"):
                filter_must_be_qualified(str(given), extensions)
            raise
        if search.filter is not None:
            filter_must_compare_little(search.filter)
        return search, position

    def _must_be_qualified(self, resource_type: ResourceType, body: bytes, content_type: str | None) -> None:
        body_must_be_qualified(self.decode_body(body, content_type), self.get_model(resource_type).get_extension_models())

    def schemas(self, location: str, query: Mapping[str, str]) -> ScimResponse:
        answer = super().schemas(location, query)
        for one in (answer.body or {}).get("Resources", ()):
            self._name_grades(one)
        return answer

    def schema(self, location: str, schema_id: str, query: Mapping[str, str]) -> ScimResponse:
        answer = super().schema(location, schema_id, query)
        self._name_grades(answer.body or {})
        return answer

    def _name_grades(self, schema: dict[str, Any]) -> None:
        """Let whoever sets the feed up see which codes there are (RFC 7643, section 7: canonicalValues)."""
        if schema.get("id") == str(AmontEmployee.__schema__):
            for attribute in schema["attributes"]:
                if attribute["name"] == "grade":
                    attribute["canonicalValues"] = self._grades


def _is_inactive(resource: Resource[Any]) -> bool:
    return isinstance(resource, User) and resource.active is False


class Handler(AsyncScimHandler):
    """The library's handler; a change that names no version is made on whatever is there, again when that has moved meanwhile."""

    storage: TenantStorage

    async def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any]:
        """Raises what the storage does."""
        self.storage.says_active = says_active(patch_op)
        return await super().patch_resource(resource_type, resource_id, patch_op, conditions)

    async def handle(self, request: ScimRequest) -> ScimResponse:
        """Raises what the library does; Unavailable when somebody was faster for `AGAIN_SECONDS`."""
        if request.method not in CHANGES or request.header("If-Match") or request.header("If-None-Match"):
            return await super().handle(request)
        clock = asyncio.get_running_loop().time
        until, pause = clock() + AGAIN_SECONDS, FIRST_PAUSE
        while True:
            try:
                return await super().handle(request)
            except PreconditionFailedException as error:
                if clock() >= until:
                    raise Unavailable("Others keep changing the same thing. Nothing has changed: send it again.") from error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)
