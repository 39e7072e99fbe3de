"""Every answer of the API that is not a success: {"error": {"code", "message", "fields"?}}, made here only."""

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

log = structlog.get_logger(__name__)

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
ALWAYS = frozenset({401, 403, 429, 503})
"""What any address of the API may answer."""
RETRY_AFTER_SECONDS = 5


class ApiError(Exception):
    """Ends the request with this answer. `fields`: path of the field → what is wrong with it; `retry_after`: seconds;
    `more`: further keys."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: dict[str, str] | None = None,
        retry_after: int = RETRY_AFTER_SECONDS,
        **more: str,
    ):
        super().__init__(message)
        self.status, self.code, self.message, self.fields, self.more = status, code, message, fields, more
        self.retry_after = retry_after


def answer(
    status: int,
    code: str,
    message: str,
    fields: dict[str, str] | None = None,
    retry_after: int = RETRY_AFTER_SECONDS,
    **more: str,
) -> JsonResponse:
    """The JSON of an error; a 429 and a 503 say when to try again."""
    error = {"code": code, "message": message, **more} | ({"fields": fields} if fields else {})
    headers = {"Retry-After": str(retry_after)} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JsonResponse({"error": error}, status=status, headers=headers)


def install(api: NinjaAPI) -> None:
    """Make `api` answer every exception in this one shape."""
    api.add_exception_handler(ApiError, _refused)
    api.add_exception_handler(ValidationError, lambda _, e: invalid(_fields(e)))
    api.add_exception_handler(Http404, lambda _, e: answer(404, "not_found", "There is nothing at this address."))
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(RequestDataTooBig, lambda _, e: answer(413, "too_large", "The body is too large."))
    api.add_exception_handler(OperationalError, _database_down)
    api.add_exception_handler(InterfaceError, _database_down)
    api.add_exception_handler(Exception, _unexpected)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404 of the whole site: also where no address of the API fits at all, its answer is JSON."""
    if request.path.startswith("/api/"):
        return answer(404, "not_found", "There is nothing at this address.")
    return page_not_found(request, exception)


def _refused(request: HttpRequest, error: ApiError) -> JsonResponse:
    return answer(error.status, error.code, error.message, error.fields, error.retry_after, **error.more)


def invalid(fields: dict[str, str]) -> JsonResponse:
    """422: what was sent is not as the documentation says, field by field."""
    return answer(422, "invalid", "Some fields are not valid.", fields)


def _fields(error: ValidationError) -> dict[str, str]:
    """{"caller.name": "String should have at most 80 characters"}; query parameters and headers by their name."""
    fields = {}
    for problem in error.errors:
        source, *path = problem["loc"]
        if source == "body":
            path = path[1:]  # the parameter's name in the view
        name = ".".join(str(part) for part in path) or source
        fields.setdefault(name, problem["msg"].removeprefix("Value error, "))
    return fields


def _http_error(request: HttpRequest, error: HttpError) -> JsonResponse:
    if error.status_code == 401:
        return answer(401, "unauthorized", "Send your API key: Authorization: Bearer <key>.")
    if error.status_code == 400:
        return answer(400, "bad_request", "The body is not JSON.")
    return answer(error.status_code, CODES.get(error.status_code, "error"), str(error))


def _database_down(request: HttpRequest, error: Exception) -> JsonResponse:
    log.error("api.database", error=type(error).__name__, path=request.path)
    return answer(503, "database_unavailable", "The database does not answer. Try again.")


def _unexpected(request: HttpRequest, error: Exception) -> JsonResponse:
    log.exception("api.failed", path=request.path)
    return answer(500, "internal", "Something went wrong on our side.")
