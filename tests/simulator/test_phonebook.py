import pytest
import yaml

from calls.simulator import predictions
from calls.simulator.phonebook import AGENTS, phonebook, spares
from calls.simulator.telephones import PhoneBook
from calls.simulator.temperaments import NAMES
from calls.transfer.states import Outcome


def test_every_temperament_but_the_measuring_tone_has_a_predicted_outcome():
    assert set(predictions.OUTCOMES) == set(NAMES) - {"tone"}
    assert set(predictions.OUTCOMES.values()) <= {outcome.value for outcome in Outcome}


def test_the_demo_phone_book_is_one_the_switch_takes():
    book = PhoneBook.from_dict(phonebook())
    assert book.entries["2001"].temperament == "accepts"
    assert {book.entries[number].temperament for number in spares("hesitates")} == {"hesitates"}


def test_spare_numbers_of_two_temperaments_never_meet():
    numbers = [number for temperament in predictions.TEMPERAMENTS for number in spares(temperament)]
    assert len(numbers) == len(set(numbers))


def test_every_extension_of_the_demo_company_has_a_telephone(request):
    path = request.config.rootpath / "calls" / "simulator" / "company.yaml"
    company = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {str(extension["number"]) for extension in company["extensions"]} == set(AGENTS)


def test_an_unknown_temperament_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="accepts.*voicemail"):
        spares("grumpy")
