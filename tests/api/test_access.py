"""Who may call, what can be offered, and that every refusal has the one shape."""

from calls import services
from calls.models import ApiClient, Department, Extension, OpeningHours, Transfer


def test_without_a_key_it_is_401_in_json(client, company):
    for headers in ({}, {"Authorization": "Bearer thk_wrong"}, {"Authorization": "Basic dGVzdDp0ZXN0"}):
        response = client.get("/api/v1/transfers", headers=headers)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert response.json()["error"]["code"] == "unauthorized"


def test_a_key_that_was_switched_off_is_refused(api):
    ApiClient.objects.update(enabled=False)
    assert api.get("/departments").status_code == 401


def test_a_new_key_ends_the_old_one(api):
    services.rotate_api_key(ApiClient.objects.get())
    assert api.get("/departments").status_code == 401


def test_a_key_may_do_no_more_than_it_was_made_for(client, company):
    keys = {scope: services.create_api_client(scope, scope)[1] for scope in ApiClient.Scope.values}
    body = {"call_uuid": "a-leg-1", "department": "vendas"}

    def answers(scope):
        headers = {"Authorization": f"Bearer {keys[scope]}"}
        asked = client.post("/api/v1/transfers", body, content_type="application/json", headers=headers)
        listed = client.get("/api/v1/transfers", headers=headers)
        scraped = client.get("/metrics", headers=headers, REMOTE_ADDR="198.51.100.7")
        return asked.status_code, listed.status_code, scraped.status_code

    assert answers("metrics") == (403, 403, 200)
    assert answers("read") == (403, 200, 200)
    assert not Transfer.objects.exists()
    assert answers("all") == (202, 200, 200)
    transfer = Transfer.objects.get()
    cancelled = client.delete(f"/api/v1/transfers/{transfer.pk}", headers={"Authorization": f"Bearer {keys['read']}"})
    assert (cancelled.status_code, cancelled.json()["error"]["code"]) == (403, "not_allowed")


def test_an_unknown_path_is_404_in_json(api):
    for path in ("/nothing", "/transfers/", "/transfers/not-a-uuid"):
        response = api.get(path)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_an_unknown_transfer_is_404(api):
    path = "/transfers/00000000-0000-0000-0000-000000000000"
    for response in (api.get(path), api.delete(path), api.get(f"{path}/events")):
        assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_transfer")


def test_departments_tell_who_is_there_now(api):
    ana = Extension.objects.get(number="2001")
    Extension.objects.filter(pk=ana.pk).update(claimed_by=Transfer.objects.get(pk=_a_transfer(api)))
    found = {department["slug"]: department for department in api.get("/departments").json()["items"]}
    assert found["vendas"] == {
        "name": "Vendas", "slug": "vendas", "words": ["comprar", "preço"], "open": True, "agents": 2, "agents_free": 1,
    }  # fmt: skip
    assert (found["suporte"]["open"], found["suporte"]["agents_free"]) == (False, 1)


def test_the_tool_offers_the_open_departments_in_portuguese(api):
    tool = api.get("/tool").json()
    assert (tool["type"], tool["name"]) == ("function", "transfer_call")
    department = tool["parameters"]["properties"]["department"]
    assert department["enum"] == ["vendas"]
    assert "comprar, preço" in department["description"]
    assert "Fora do horário de atendimento agora: Suporte." in tool["description"]
    assert tool["parameters"]["required"] == ["department", "summary"]


def test_the_tool_offers_tickets_when_everything_is_closed(api):
    rows = OpeningHours.objects.all()
    closed = rows.get()
    OpeningHours.objects.create(
        department=Department.objects.get(slug="vendas"), weekday=closed.weekday, opens="12:00", closes="12:01"
    )
    tool = api.get("/tool").json()
    assert tool["parameters"]["properties"]["department"]["enum"] == ["suporte", "vendas"]
    assert "Agora não há atendimento" in tool["description"]


def test_a_tool_without_departments_is_404(api):
    Department.objects.update(enabled=False)
    assert api.get("/tool").json()["error"]["code"] == "no_departments"


def test_the_openapi_document_names_every_path(client, company):
    document = client.get("/api/v1/openapi.json").json()
    assert document["paths"].keys() == {
        "/api/v1/transfers",
        "/api/v1/transfers/{transfer_id}",
        "/api/v1/transfers/{transfer_id}/events",
        "/api/v1/departments",
        "/api/v1/tool",
    }
    taken = document["components"]["schemas"]["TransferIn"]
    assert taken["required"] == ["call_uuid"]
    assert taken["properties"]["summary"]["maxLength"] == 2000


def test_the_docs_page_needs_no_other_server(client, company):
    page = client.get("/api/v1/docs").content.decode()
    assert "swagger-ui" in page
    assert "cdn" not in page


def _a_transfer(api) -> str:
    return api.post({"call_uuid": "another-call", "department": "vendas"}).json()["id"]
