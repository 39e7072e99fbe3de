from calls.demo.soak import Report, Row


def test_a_soak_is_good_when_every_transfer_came_out_as_predicted_and_nothing_is_left():
    report = Report(2, 20, 10.0, 1.0, [Row("accepts", "accepted", "accepted", 9.0), Row("busy", "busy", "busy", 2.0)])
    assert report.good
    assert "2 of 2 as predicted" in report.table()


def test_one_other_outcome_spoils_it_and_is_named():
    report = Report(1, 20, 10.0, 1.0, [Row("silent", "timeout", "rejected", 9.0)])
    assert not report.good
    assert report.as_json()["mismatches"][0]["outcome"] == "rejected"
    assert "rejected" in report.table().splitlines()[1]


def test_a_caller_left_behind_spoils_it():
    report = Report(1, 20, 150.0, 1.0, [Row("accepts", "accepted", error="left behind")])
    assert not report.good and "left behind" in report.table()


def test_a_transfer_that_is_missing_spoils_it():
    assert not Report(2, 20, 10.0, 1.0, [Row("busy", "busy", "busy", 2.0)]).good


def test_a_leftover_on_the_switch_spoils_it():
    report = Report(1, 20, 10.0, 20.0, [Row("busy", "busy", "busy", 2.0)], ["tasks: th_1_ring"])
    assert not report.good and "left over: tasks: th_1_ring" in report.table()
