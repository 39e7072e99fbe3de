"""Whether a destination leads anywhere, told from a dialplan's XML."""

from xml.etree import ElementTree

import pytest

from calls.doctor.dialplan import Destination, Leads, hunt, parse

CONTEXT = ElementTree.fromstring(
    """<context name="public">
    <extension name="notes" continue="true"><condition field="destination_number" expression="^(.*)$"/></extension>
    <extension name="menu"><condition field="destination_number" expression="^(ivr|5000)$"/></extension>
    <extension name="day"><condition wday="2-6"/>
        <condition field="destination_number" expression="^day$"/></extension>
    <extension name="own"><condition field="${sip_from_user}" expression="^1$"/>
        <condition field="destination_number" expression="^own$"/></extension>
    <extension name="tolerant"><condition field="destination_number" expression="^nothing$" break="never"/>
        <condition field="destination_number" expression="^late$"/></extension>
    <extension name="variable"><condition field="destination_number" expression="^${number}$"/></extension>
    </context>"""
)
EMPTY = ElementTree.fromstring("<context/>")
ALL = ElementTree.fromstring("<context><extension name='all'><condition/></extension></context>")


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("5000", Destination("5000")),
        ("ivr_return XML public", Destination("ivr_return", "public")),
        ("park: inline", Destination("", "", ("park",))),
        ("answer,park inline", Destination("", "", ("answer", "park"))),
        ("m:^:set:a=b,c^park inline", Destination("", "", ("set", "park"))),
    ],
)
def test_a_destination_is_read(text, destination):
    assert parse(text) == destination


def test_the_extension_that_takes_the_number_is_named():
    assert (hunt(CONTEXT, "5000").leads, hunt(CONTEXT, "5000").extension) == (Leads.SOMEWHERE, "menu")


def test_an_extension_that_only_continues_is_no_place_to_arrive_at():
    only = ElementTree.fromstring("<context><extension continue='true'><condition/></extension></context>")
    assert hunt(only, "5000").leads is Leads.NOWHERE


@pytest.mark.parametrize(("number", "on"), [("day", "time"), ("own", "${sip_from_user}")])
def test_what_else_it_depends_on_is_named_and_not_judged(number, on):
    found = hunt(CONTEXT, number)
    assert (found.leads, found.depends_on) == (Leads.PERHAPS, (on,))


def test_a_condition_that_never_breaks_does_not_end_the_extension():
    assert hunt(CONTEXT, "late").extension == "tolerant"


def test_an_expression_with_a_variable_cannot_be_tried():
    found = hunt(CONTEXT, "nobody")
    assert (found.leads, found.extension) == (Leads.PERHAPS, "variable")


def test_an_extension_without_conditions_on_the_number_takes_everybody():
    assert (hunt(ALL, "x").leads, hunt(EMPTY, "x").leads) == (Leads.SOMEWHERE, Leads.NOWHERE)
