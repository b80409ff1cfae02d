"""A service's pages for people, under `/<service>/`: who sits there, forms that only our own pages send, and refusals that a person can read.

Pages do what the API does, by the same commands, and only for the person who is signed in. They are in English and French, as the browser asks.
"""

import hmac
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import ChoiceLoader, DictLoader, PackageLoader
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from amont.common.errors import DomainError, NotAllowed, Unacceptable, Unavailable
from amont.common.web import Runner, runner_for
from amont.common.web.browsers import SignIn, SignInFailed, Visitor, within
from amont.common.web.limits import believe
from amont.common.web.pages import Pages
from amont.common.web.people_words import LANGUAGES, SIGN_IN, WORDS, says
from amont.common.web.problems import RETRY_AFTER_BACKLOG_SECONDS, RETRY_AFTER_SECONDS
from amont.common.work import Backlog

FIELD = "secret"
"""The field of a form that only our own pages know."""

_HEADED = """{% extends "base" %}
{% block head %}
<header>
  <a href="/{{ service }}/">{{ words["home"] }}</a>
  {% if visitor %}
  <span>{{ visitor.person }}</span>
  <form method="post" action="/{{ service }}/sign-out">
    <input type="hidden" name="secret" value="{{ visitor.secret }}">
    <button>{{ words["sign out"] }}</button>
  </form>
  {% endif %}
</header>
{% endblock %}
"""
_REFUSED = """{% extends "headed" %}
{% block content %}
  {% for text in texts %}
  <p>{{ text }}</p>
  {% endfor %}
  {% if begin %}<p><a class="button" href="{{ begin }}">{{ words["sign in"] }}</a></p>{% endif %}
{% endblock %}
"""
PARTS = MappingProxyType({"headed": _HEADED, "refused": _REFUSED})
"""What pages for people extend, by name: `headed` is `base` with who is signed in above it."""

_logger = structlog.get_logger(__name__)
_pages = Pages(DictLoader(PARTS))


class NotSignedIn(DomainError):
    """Nobody is signed in at this browser, or not any more."""

    code = "not-signed-in"
    status = 401


class NoSignIn(DomainError):
    """No way to sign in is configured."""

    code = "no-sign-in"
    status = 501


class NotOurForm(NotAllowed):
    """What was sent was not sent by a page that we gave to this person."""

    code = "not-our-form"


def language_of(request: Request) -> str:
    """Which of `LANGUAGES` the browser would rather have (RFC 9110, section 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, weight = part.partition(";")
        try:
            wanted.append((float(weight.partition("=")[2] or 1), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((tag for weight, tag in sorted(wanted, key=lambda one: -one[0]) if weight > 0 and tag in LANGUAGES), LANGUAGES[0])


def _sign_in(request: Request) -> SignIn:
    found: SignIn | None = request.app.state.sign_in
    if found is None:
        raise NoSignIn
    return found


async def _visitor(request: Request) -> Visitor:
    sessions = _sign_in(request).sessions
    found = sessions.visitor(request)
    if found is None:
        raise NotSignedIn
    believe(request.scope, sessions.presented(request))
    return found


async def _form(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> FormData:
    form = await request.form(max_files=0)
    if not hmac.compare_digest(str(form.get(FIELD, "")).encode(), visitor.secret.encode()):
        raise NotOurForm("The form was not sent by a page of this person.")
    return form


async def _run(request: Request, _: Annotated[Visitor, Depends(_visitor)]) -> Runner:
    return runner_for(request)


SignedIn = Annotated[Visitor, Depends(_visitor)]
"""Who is signed in; a browser where nobody is goes to sign in first, and comes back."""
Sent = Annotated[FormData, Depends(_form)]
"""A form that a page of ours has sent for who is signed in."""
PageRun = Annotated[Runner, Depends(_run)]


async def _language(request: Request) -> str:
    return language_of(request)


Language = Annotated[str, Depends(_language)]


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException:
                raise
            except Exception as error:
                return _answer_to(error, request)

        return handled


class People:
    """The door of a service's pages (`service.door.Door`). `home` is its first page."""

    def __init__(self, service: str, *routers: APIRouter) -> None:
        self.prefix = f"/{service}/"
        self._service = service
        self.router = APIRouter(prefix=f"/{service}", include_in_schema=False, route_class=PageRoute)
        self.router.add_api_route("/sign-in", self.begin, methods=["GET"])
        self.router.add_api_route("/signed-in", self.finish, methods=["GET"])
        self.router.add_api_route("/sign-out", self.end, methods=["POST"])
        for router in routers:
            self.router.include_router(router)

    async def begin(self, request: Request, then: str | None = None) -> Response:
        """Go and sign in."""
        return await _sign_in(request).begin(request, self._service, within(then, self.prefix))

    async def finish(self, request: Request) -> Response:
        """Come back signed in."""
        return await _sign_in(request).finish(request, self._service)

    async def end(self, request: Request, _: Sent) -> Response:
        """Sign out at this browser."""
        language = language_of(request)
        title, _text = says(401)[language]
        answer = _refusal(self._service, language, 200, title, (), begin=f"/{self._service}/sign-in")
        _sign_in(request).sessions.end(answer)
        return answer

    def refusal(self, status: int, detail: str, headers: Mapping[str, str]) -> Response:  # noqa: ARG002 - it is written for programs
        """What is said no to before a route is asked, in every language: which one the browser wants is not known there."""
        said = says(status)
        answer = _refusal(self._service, LANGUAGES[0], status, said[LANGUAGES[0]][0], [text for _, text in said.values()])
        answer.headers.update(headers)
        return answer


def page_router() -> APIRouter:
    """For a module of pages."""
    return APIRouter(route_class=PageRoute)


class Shown:
    """A service's templates (the files in its package's folder `templates`), with what every page of it shows."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._pages = Pages(ChoiceLoader([DictLoader(PARTS), PackageLoader(f"amont.{service}")]))

    def __call__(self, template: str, visitor: Visitor, *, title: str, language: str, status: int = 200, **shown: Any) -> HTMLResponse:
        words = WORDS[language]
        return self._pages(
            f"{template}.html", title=title, language=language, status=status, service=self._service, visitor=visitor, words=words, **shown
        )


def _answer_to(error: Exception, request: Request) -> Response:
    service = request.url.path.split("/")[1]
    status = _status_of(error, request)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return RedirectResponse(_begin(service, request), 303)
    begin = (
        _begin(service, request) if isinstance(error, NotSignedIn) else f"/{service}/sign-in" if isinstance(error, SignInFailed) else None
    )
    text = SIGN_IN[error.why][language_of(request)] if isinstance(error, SignInFailed) else None
    answer = _refused(request, service, status, text, begin=begin)
    if status == 500:
        _logger.error("page_refused", status=status, error=type(error).__name__, exc_info=error)
    if status in {413, 503}:
        _logger.warning("page_refused", status=status, reason=str(error))
    if status == 503:
        wait = RETRY_AFTER_BACKLOG_SECONDS if isinstance(error, Backlog) else RETRY_AFTER_SECONDS
        answer.headers["Retry-After"] = str(wait)
    return answer


def _status_of(error: Exception, request: Request) -> int:
    match error:
        case DomainError():
            return error.status
        case RequestValidationError():
            return 404 if request.method == "GET" else 422
        case Unacceptable():
            return 413
        case Backlog() | Unavailable():
            return 503
        case _:
            return 500


def _refused(request: Request, service: str, status: int, text: str | None = None, *, begin: str | None = None) -> HTMLResponse:
    language = language_of(request)
    title, usual = says(status)[language]
    return _refusal(service, language, status, title, [text or usual], begin=begin)


def _refusal(service: str, language: str, status: int, title: str, texts: Sequence[str], *, begin: str | None = None) -> HTMLResponse:
    words = WORDS[language]
    return _pages(
        "refused", title=title, language=language, status=status, texts=texts, begin=begin, service=service, visitor=None, words=words
    )


def _begin(service: str, request: Request) -> str:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/{service}/sign-in?then={quote(wanted, safe='')}"
