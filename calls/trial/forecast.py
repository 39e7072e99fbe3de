"""How a trial should end, from the department's settings and its people's temperaments. Pure."""

from dataclasses import dataclass

from calls.simulator.predictions import OUTCOMES

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Setting:
    """`agents`: how many can be rung; `together`: all at once."""

    agents: int
    max_attempts: int
    together: bool
    first: str  # temperament of the first
    then: str  # and of all who follow


def forecast(setting: Setting) -> str:
    """The outcome, "" where it depends on who is quicker.

    The limit of the whole wait is not reckoned with: a trial that ends by it ends otherwise, and is to be looked at.
    """
    first, then = OUTCOMES[setting.first], OUTCOMES[setting.then]
    if setting.together and setting.agents > 1 and setting.first != setting.then:
        return ""
    if first == ACCEPTED or setting.agents == 1 or (setting.max_attempts == 1 and not setting.together):
        return first
    return then
