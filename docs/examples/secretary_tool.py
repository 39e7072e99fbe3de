"""What a Realtime secretary runs when her model calls the tool `transfer_call` (its schema: GET /api/v1/tool)."""

import httpx

NOBODY = "No momento não consegui falar com ninguém deste setor."


async def transfer_call(hub: httpx.AsyncClient, call_uuid: str, call_id: str, arguments: dict, number: str = "") -> str:
    """Hand the caller over and wait for the result; returns what to say, "" when two people are talking.

    `hub`: base_url "https://transferhub.example/api/v1", header "Authorization: Bearer <key>", timeout above 25 s.
    `call_uuid`: the caller's channel. `call_id`: of the function call, so that a repetition is no second transfer.
    """
    request = {
        "call_uuid": call_uuid,
        "department": arguments["department"],
        "summary": arguments["summary"],
        "caller": {"number": number, "name": arguments.get("caller_name", "")},
        "start_after_ms": 1500,  # "Um momento, vou transferir" is still being spoken
    }
    answer = await hub.post("/transfers", json=request, headers={"Idempotency-Key": call_id})
    if answer.status_code not in (200, 202):
        return NOBODY  # the caller is still with us; answer.json()["error"] is for the log
    transfer = answer.json()
    while not transfer["final"]:
        answer = await hub.get(f"/transfers/{transfer['id']}", params={"wait": 25})
        transfer = answer.raise_for_status().json()
    if transfer["success"]:
        return ""
    protocol = transfer["ticket"] and (transfer["ticket"]["omniplay_id"] or transfer["ticket"]["protocol"])
    return f"{NOBODY} Seu protocolo é {protocol}." if protocol else NOBODY
