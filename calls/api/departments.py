"""/departments and /tool: what a secretary can offer now."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import Router

from calls import selectors
from calls.api.errors import ALWAYS, ApiError
from calls.api.schemas import DepartmentsOut, ErrorOut
from calls.models import Department

router = Router()


@router.get(
    "/departments",
    response={200: DepartmentsOut, ALWAYS: ErrorOut},
    tags=["what can be offered"],
    summary="Departments, whether they are open, and how many agents are free",
)
async def departments(request: HttpRequest):
    return {"items": await sync_to_async(_departments)()}


@router.get(
    "/tool",
    response={200: dict[str, Any], (*ALWAYS, 404): ErrorOut},
    tags=["what can be offered"],
    summary="A ready function tool for the secretary's Realtime session",
)
async def tool(request: HttpRequest):
    """Put it into `session.tools` as it is. Its `enum` holds the departments that are open now; when none is, it holds
    them all, for a request to a closed one opens a ticket."""
    found = await sync_to_async(_departments)()
    if not found:
        raise ApiError(404, "no_departments", "No department is set up.")
    return function_tool(found)


def function_tool(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The function tool (Realtime API, `session.tools[]`) for these departments. Portuguese: the model reads it."""
    opened = [department for department in found if department["open"]]
    closed = [department for department in found if not department["open"]]
    description = (
        "Transfere quem está na linha para uma pessoa da empresa. Use somente quando a pessoa pedir ou quando você não "
        "puder resolver. Antes de chamar, avise que vai transferir e peça um momento; depois de chamar, não diga nada."
    )
    if not opened:
        description += " Agora não há atendimento: o pedido será registrado e a pessoa receberá um protocolo."
    elif closed:
        description += f" Fora do horário de atendimento agora: {', '.join(d['name'] for d in closed)}."
    meanings = "; ".join(
        f"{d['slug']}: {d['name']}" + (f" ({', '.join(d['words'])})" if d["words"] else "") for d in opened or closed
    )
    return {
        "type": "function",
        "name": "transfer_call",
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {
                "department": {
                    "type": "string",
                    "enum": [department["slug"] for department in opened or closed],
                    "description": f"Setor desejado. {meanings}.",
                },
                "summary": {
                    "type": "string",
                    "description": "Quem é e o que deseja, em uma ou duas frases curtas, para o atendente ouvir antes "
                    "de aceitar. Não invente nada.",
                },
                "caller_name": {"type": "string", "description": "Nome de quem está na linha, se foi dito."},
            },
            "required": ["department", "summary"],
            "additionalProperties": False,
        },
    }


def _departments() -> list[dict[str, Any]]:
    return [
        {
            "name": department.name,
            "slug": department.slug,
            "words": [word.strip() for word in department.words.split(",") if word.strip()],
            "open": selectors.department_is_open(department),
            "agents": selectors.agents_of(department).count(),
            "agents_free": selectors.agents_free(department),
        }
        for department in Department.objects.filter(enabled=True).prefetch_related("opening_hours")
    ]
