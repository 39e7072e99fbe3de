"""Where a dial string leads: `user/`, `sofia/`, `loopback/`, `error/`. Each makes the channels of one leg."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calls.simulator.applications import APPLICATIONS
from calls.simulator.callers import CallerTelephone
from calls.simulator.channel import CallerProfile, Channel
from calls.simulator.clock import FRAME
from calls.simulator.incoming import Call
from calls.simulator.sound import Playhead, load

if TYPE_CHECKING:
    from calls.simulator.switch import SimulatedSwitch
    from calls.simulator.telephones import Telephone

NO_NUMBER = "0000000000"
"""The caller's number where originate names none."""


class Unreachable(Exception):
    """No channel could be made; `cause` is what originate answers."""

    def __init__(self, cause: str):
        super().__init__(cause)
        self.cause = cause


def make_legs(switch: "SimulatedSwitch", url: str, variables: dict[str, str]) -> list[Channel]:
    """The ringing channels for one part of a dial string. Raises Unreachable."""
    kind, slash, rest = url.strip().partition("/")
    makers = {"user": _user, "sofia": _sofia, "loopback": _loopback, "error": _error}
    if not slash or kind not in makers:
        raise Unreachable("CHAN_NOT_IMPLEMENTED")
    return makers[kind](switch, rest, variables)


def _user(switch: "SimulatedSwitch", address: str, variables: dict[str, str]) -> list[Channel]:
    number, _, domain = address.partition("@")
    domain = domain or switch.domain
    if domain != switch.domain or not switch.directory.knows(number):
        raise Unreachable("SUBSCRIBER_ABSENT")
    variables = variables | {"dialed_user": number, "dialed_domain": domain, "presence_id": f"{number}@{domain}"}
    return _telephones(switch, number, variables, "USER_NOT_REGISTERED")


def _sofia(switch: "SimulatedSwitch", address: str, variables: dict[str, str]) -> list[Channel]:
    profile, _, rest = address.partition("/")
    if profile == "gateway":
        rest = rest.partition("/")[2]
    number = rest.partition("@")[0]
    if profile == "phones":
        return [_caller(switch, number, rest, variables)]
    return _telephones(switch, number, variables, "UNALLOCATED_NUMBER")


def _error(switch: "SimulatedSwitch", cause: str, variables: dict[str, str]) -> list[Channel]:
    raise Unreachable(cause.upper())


def _telephones(switch: "SimulatedSwitch", number: str, variables: dict[str, str], nobody: str) -> list[Channel]:
    telephones = switch.directory.telephones(number)
    if not telephones:
        raise Unreachable(nobody)
    legs = []
    # The order is that in which each last refreshed its registration, and then each leg begins in its own thread.
    for telephone in random.sample(telephones, len(telephones)):
        if variables.get("origination_uuid") in switch.channels:
            continue  # "Duplicate UUID!": a second telephone of the same number never rings
        contact = telephone.contact or f"{number}@127.0.0.1:5080"
        user = contact.partition("@")[0]  # a leg is named and dialled by its registration, not by the extension
        channel = Channel(switch, f"sofia/internal/{contact}", "outbound", _outgoing(user, variables), variables)
        channel.create()
        switch.clock.later(FRAME, _invite, channel, telephone, Call(channel))
        legs.append(channel)
    if not legs:
        raise Unreachable("DESTINATION_OUT_OF_ORDER")
    return legs


def _invite(channel: Channel, telephone: "Telephone", call: Call) -> None:
    if not channel.hung_up:
        channel.switch.in_background(telephone.invited(call))


def _outgoing(number: str, variables: dict[str, str]) -> CallerProfile:
    name = variables.get("origination_caller_id_name", "")
    caller = variables.get("origination_caller_id_number", NO_NUMBER)
    return CallerProfile(
        destination=number,
        context="default",
        caller_name=name,
        caller_number=caller,
        original_name=name,
        original_number=caller,
        callee_name="Outbound Call",
        callee_number=number,
        source="src/switch_ivr_originate.c",
    )


def _incoming(switch: "SimulatedSwitch", name: str, outgoing: Channel, destination: str, context: str) -> Channel:
    old = outgoing.profile
    channel = Channel(
        switch,
        name,
        "inbound",
        CallerProfile(
            destination=destination,
            caller_name=old.caller_name,
            caller_number=old.caller_number,
            original_name=old.caller_name,
            original_number=old.caller_number,
            username=old.caller_number,
            context=context,
            dialplan="XML",
        ),
        {},
    )
    channel.peer, outgoing.peer = outgoing, channel
    return channel


def _caller(switch: "SimulatedSwitch", extension: str, address: str, variables: dict[str, str]) -> Channel:
    """A call from outside: the leg we dial is the caller's own, and the inbound one is the A-leg in the dialplan."""
    outgoing = Channel(switch, f"sofia/phones/{address}", "outbound", _outgoing(extension, variables), variables)
    outgoing.create()
    number = outgoing.profile.caller_number
    inbound = _incoming(switch, f"sofia/internal/{number}@127.0.0.1", outgoing, extension, "public")
    inbound.variables |= {"sip_from_user": number, "sip_req_user": extension, "call_uuid": inbound.uuid}
    switch.clock.later(FRAME, _arrive, inbound, outgoing)
    switch.in_background(_speak(switch, inbound, outgoing))
    return outgoing


def _arrive(inbound: Channel, outgoing: Channel) -> None:
    if not outgoing.hung_up:
        inbound.create()
        inbound.execute()


async def _speak(switch: "SimulatedSwitch", inbound: Channel, outgoing: Channel) -> None:
    """Puts a person on the caller's end; where originate only plays a sound there, the caller is that sound."""
    await inbound.answered.wait()
    await switch.clock.frame()
    await switch.clock.frame()
    application, path = outgoing.application
    if "sim_caller" not in outgoing.variables and application == "playback":
        inbound.leg.mouth = SoundMouth(path)
    elif not inbound.hung_up:
        await CallerTelephone(outgoing.variables).invited(Call(inbound, outgoing.variables))


class Crossed:
    """One half of a loopback says what the other half is given to hear, a tick later."""

    def __init__(self, other: Channel):
        self._leg = other.leg

    def frame(self) -> np.ndarray | None:
        return self._leg.heard


class SoundMouth:
    """Says one sound, and nothing behind its end."""

    def __init__(self, path: str):
        self._playhead = Playhead(load(path))

    def frame(self) -> np.ndarray | None:
        step = self._playhead.step()
        return step[0] if step else None


def _loopback(switch: "SimulatedSwitch", address: str, variables: dict[str, str]) -> list[Channel]:
    """`loopback/app=NAME[:data]` or `loopback/EXT[/CONTEXT[/DIALPLAN]]`; both halves keep originate's variables."""
    extension, _, context = address.partition("/")
    context, _, dialplan = context.partition("/")
    name, _, data = extension.removeprefix("app=").partition(":")
    if extension.startswith("app=") and name not in APPLICATIONS:
        raise Unreachable("CHAN_NOT_IMPLEMENTED")
    shown = name if extension.startswith("app=") else extension
    profile = replace(_outgoing(address.rpartition("/")[2], variables), destination=shown, dialplan=dialplan)
    near = Channel(switch, f"loopback/{shown}-a", "outbound", profile, variables)
    near.create()
    copies = {name: value for name, value in variables.items() if name != "origination_uuid"}
    far = _incoming(switch, f"loopback/{shown}-b", near, extension, context or "default")
    far.profile = far.initial = replace(far.profile, dialplan=dialplan or "XML")
    far.variables |= copies | {"is_loopback": "1", "loopback_leg": "B", "other_loopback_leg_uuid": near.uuid}
    near.variables |= {"is_loopback": "1", "loopback_leg": "A", "other_loopback_leg_uuid": far.uuid}
    near.leg.mouth, far.leg.mouth = Crossed(far), Crossed(near)
    far.create()
    if extension.startswith("app="):
        far.execute([(name, data)])
    else:
        far.execute()
    return [near]
