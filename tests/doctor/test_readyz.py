"""The last examination in /readyz."""

from calls import services
from calls.doctor.findings import unfit
from calls.models import Switch


def test_the_last_examination_is_told_and_decides_nothing(client, transactional_db):
    switch = Switch.objects.create(slug="main", name="Main")
    assert "exams" not in client.get("/readyz").json()
    services.keep_exam(switch, [unfit("wrong_password", variable="X")], 0.1)
    answer = client.get("/readyz").json()
    assert answer["exams"]["main"]["level"] == "unfit"
    assert not any("exam" in part for part in answer["down"])
