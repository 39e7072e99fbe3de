"""The API at /api/v1, its page at /api/v1/docs, its OpenAPI document at /api/v1/openapi.json."""

from django.http import Http404, HttpRequest
from ninja import NinjaAPI, Router

from calls.api import departments, errors, transfers
from calls.api.auth import ApiKey

api = NinjaAPI(
    title="TransferHub",
    version="1",
    description="Announced telephone transfers: hand over a caller, wait for a person's answer, get a ticket where "
    "there is none. Errors are `{error: {code, message, fields?}}` everywhere.",
    urls_namespace="api",
    auth=ApiKey(),
)
errors.install(api)
api.add_router("/transfers", transfers.router)
api.add_router("", departments.router)


elsewhere = Router()


@elsewhere.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False)
async def nothing(request: HttpRequest, rest: str):
    raise Http404


api.add_router("", elsewhere)  # the last: it matches everything
