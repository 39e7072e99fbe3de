"""The last examination in /readyz."""

from calls import services
from calls.doctor.findings import ok, unfit, warning
from calls.models import Switch


def test_the_last_examination_is_told_and_decides_nothing(client, transactional_db):
    switch = Switch.objects.create(slug="main", name="Main")
    assert "exams" not in client.get("/readyz").json()
    found = [ok("logged_in"), warning("agent_not_registered", number="2001", name="Ana"), unfit("no_web_process")]
    services.keep_exam(switch, [*found, warning("agent_not_registered", number="2002", name="Bia")], 0.1)
    answer = client.get("/readyz").json()
    assert answer["exams"]["main"]["level"] == "unfit"
    assert answer["exams"]["main"]["findings"] == ["agent_not_registered", "no_web_process"]
    assert "2001" not in str(answer)
    assert not any("exam" in part for part in answer["down"])
