"""What each rule asks, and what it must never ask; good and bad stand side by side."""

from collections.abc import Callable
from typing import Any

import pytest

GOOD = [
    # definition
    ("A navigation lock is a device used for raising and lowering boats.", "What is a navigation lock?"),
    ("The Panama Canal is an artificial waterway that joins two oceans.", "What is the Panama Canal?"),
    ("Asphalt, also known as bitumen, is a sticky, black and viscous form of petroleum.", "What is asphalt?"),
    ("Minerals are solid substances that occur naturally in pure form.", "What are minerals?"),
    ("Ferdinand de Lesseps was a French diplomat who built the Suez Canal.", "Who was Ferdinand de Lesseps?"),
    ("In geology, a mineral is a solid substance with a crystal structure.", "What is a mineral in geology?"),
    ("However, a basin is a small lake beside a canal lock chamber.", "What is a basin?"),
    ("The capital of Angola is Luanda.", "What is the capital of Angola?"),
    ("American foulbrood is a disease of larvae that a bacterium causes.", "What is American foulbrood?"),
    ("John M. Pierce was one of the founders of the Telescope Makers.", "Who was John M. Pierce?"),
    ("A module is a container for zero or more items.", "What is a module?"),
    # acronym
    (
        "The International Maritime Organization (IMO) sets rules. The IMO meets in London every year.",
        "What does IMO stand for?",
    ),
    # when
    ("The Torrijos–Carter Treaties were signed in 1977.", "When were the Torrijos–Carter Treaties signed?"),
    ("The Panama Canal was opened on 15 August 1914.", "When was the Panama Canal opened?"),
    ("In 1969, Apollo 11 was launched from Florida.", "When was Apollo 11 launched from Florida?"),
    ("Angola gained independence from Portugal in 1975.", "When did Angola gain independence from Portugal?"),
    ("The canal was opened on 15 August 1914.", "When was the Panama Canal opened?"),
    (
        "## The lock system\n\nThe lock system was adopted in Panama on 7 April 1905.",
        "When was the lock system adopted in Panama?",
    ),
    # who, how
    ("The Gatun Dam was designed by George Washington Goethals.", "Who designed the Gatun Dam?"),
    ("Animal Farm was written by George Orwell in 1945.", "Who wrote Animal Farm?"),
    ("The Gatun Dam was built by the Isthmian Canal Commission.", "Which commission built the Gatun Dam?"),
    ("Gatun Lake was created in 1913 by damming the Chagres River.", "How was Gatun Lake created?"),
    # fixed passives
    ("The Gatun Dam is located in Panama.", "Where is the Gatun Dam located?"),
    ("Navigation locks are used to move ships between levels.", "What are navigation locks used for?"),
    ("Mitre gates are made of steel or wood.", "What are mitre gates made of?"),
    ("The Gaillard Cut is named after David du Bose Gaillard.", "What is the Gaillard Cut named after?"),
    ("Water pressure is measured in pascals.", "What is water pressure measured in?"),
    ("The Panama Canal is divided into three sections.", "What is the Panama Canal divided into?"),
    # why
    (
        "Water-saving basins are needed because each passage uses much fresh water.",
        "Why are water-saving basins needed?",
    ),
    # quantity, parts
    ("The Panama Canal is about 82 kilometres long.", "How long is the Panama Canal?"),
    ("The Miraflores lock has two chambers.", "How many chambers does the Miraflores lock have?"),
    ("Albania has a total area of 28,748 km2.", "What is the total area of Albania?"),
    (
        "The expanded Panama Canal locks consist of three chambers and nine basins.",
        "What do the expanded Panama Canal locks consist of?",
    ),
    # glossary
    ("- **Bollard**: a short post on a quay to which ships are moored.", 'What does the term "bollard" mean?'),
    ("**Draught** – the depth of a ship below the waterline.", 'What does the term "draught" mean?'),
    # FAQ
    ("### How long does a transit take?\n\nA transit takes 8 to 10 hours.", "How long does a transit take?"),
    ("**Can small boats use the canal?**\n\nYes. Small boats pass too.", "Can small boats use the Panama Canal?"),
    # procedure
    ("## How to open a sluice\n\n1. Turn the wheel.\n2. Lock the bolt.", "How do you open a sluice?"),
    ("## Installing the Gatun pump\n\n1. Remove the cover.\n2. Insert the pump.", "How do you install the Gatun pump?"),
    # list
    ("There are two types of gates:\n\n- Mitre gates\n- Sector gates", "What are the two types of gates?"),
    ("## Types of lock gates\n\n- Mitre gates\n- Sector gates", "What are the types of lock gates?"),
    # table
    ("| Lock | Width (m) |\n|---|---|\n| Gatun | 33.5 |", "What is the width of the Gatun lock?"),
    ("| Lock | Chambers |\n|---|---|\n| Gatun | 3 |", "How many chambers does the Gatun lock have?"),
    ("| Lock | Opened |\n|---|---|\n| Gatun | 1914 |", "When was the Gatun lock opened?"),
    ("| Country | Capital |\n|---|---|\n| Angola | Luanda |", "What is the capital of Angola?"),
]  # fmt: skip

BAD = [
    "They provided for the handover of the canal to Panama.",
    "It was built by George Washington Goethals.",
    "The below setup should do everything that is needed.",
    "However, this was not the first attempt.",
    "This is because water flows downhill at all times.",
    "A good gate is a very important thing for ships.",
    "The problem is a lack of water in the dry season.",
    "The company was founded in 1914.",
    "The term was introduced into optics by Johann Heinrich Lambert.",
    "Construction was completed in 1914.",
    "Many ships are vessels that carry goods over the sea.",
    "The treaty was signed in 1903 and amended in 1977.",
    "Lincoln believed Chase was an able jurist.",
    "What he says is a matter of some interest to others.",
    "| Gatun | Opened of |\n|---|---|\n| Gatun | 1914 |",
    "| Lock | Remark |\n|---|---|\n| Gatun | oldest |",
    "## Switch between versions\n\n- Version one\n- Version two",
    "## Contents\n\n- [Types](#types)\n- [Uses](#uses)",
    "## Why?\n\nBecause water flows downhill.",
    "### What is it?\n\nIt is a canal in Panama.",
    "## How to do it\n\n1. Open it.\n2. Close it.",
    "- **Note**: a short post on a quay to which ships are moored.",
    "The state economy was founded in 1914 by Panama.",
    "The head of state is the president of Algeria, who is elected for five years.",
    "No. bytes is the correct type for a serialized blob.",
    "Errors are largely due to accepting invalid strings.",
    "Coral reefs are accumulated from the calcareous exoskeletons of invertebrates.",
    "The art of Ukemi is the primary technical influence on aikido.",
    "Rugby is a traditional sport in Panama Canal towns.",
    "Sensory abnormalities are found in over 90% of those with autism.",
    "A federal court was headquartered in Sitka.",
    "Diagnosis is based on behaviour and on history.",
    "A worker has five eyes.",
    "The tally of cities includes four municipalities.",
    "The first permanent European settlement was founded in 1784.",
    "Statehood was approved by Congress on July 7, 1958.",
    "Confederate forces fired on Union troops on April 12, 1861.",
    "The Islamic Center began efforts in 1999 to build a mosque.",
    "The Portuguese Council began in 1974 a process of change.",
    "Francis Stephens led a group to meet with Lincoln.",
    "The Ki Society is used in everyday terms, such as, or.",
    "- **Clover**: a gentle female horse, who shows concern for others.",
]


@pytest.mark.parametrize(("text", "question"), GOOD)
def test_a_plain_fact_is_asked_about(
    pairs: Callable[..., dict[str, str]], text: str, question: str
) -> None:
    assert question in pairs(text)


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_stand_alone_is_not_asked_about(
    pairs: Callable[..., dict[str, str]], text: str
) -> None:
    assert pairs(text) == {}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "In 1969, Apollo 11 was launched from Florida.",
            "Apollo 11 was launched from Florida in 1969.",
        ),
        ("The canal is about 82 kilometres long.", "The Panama Canal is about 82 kilometres long."),
        (
            "Animal Farm was written by George Orwell in 1945.",
            "Animal Farm was written by George Orwell in 1945.",
        ),
        (
            "| Lock | Width (m) |\n|---|---|\n| Gatun | 33.5 |",
            "The width of the Gatun lock is 33.5 m.",
        ),
        (
            "| Lock | Chambers |\n|---|---|\n| Pedro Miguel | 1 |",
            "The Pedro Miguel lock has 1 chamber.",
        ),
        (
            "Gatun Lake (an artificial lake) was created in 1913, and it is large.",
            "Gatun Lake was created in 1913.",
        ),
        (
            "## How to open a sluice\n\n1. Turn the wheel.\n2. Lock the bolt.",
            "1. Turn the wheel.\n2. Lock the bolt.",
        ),
    ],
)
def test_the_answer_is_a_sentence_that_names_its_subject(
    pairs: Callable[..., dict[str, str]], text: str, answer: str
) -> None:
    assert answer in pairs(text).values()


def test_a_bare_date_is_the_short_answer_only(ask: Callable[..., dict[str, Any]]) -> None:
    (entry,) = ask("The Panama Canal was opened on 15 August 1914.")["entries"]
    assert entry["short_answer"] == "15 August 1914"
    assert entry["answer"] == "The Panama Canal was opened on 15 August 1914."


def test_a_definition_that_a_deep_section_gives_in_passing_is_left_alone(
    pairs: Callable[..., dict[str, str]],
) -> None:
    text = "Albania is a member of many bodies that meet in Brussels."
    assert pairs(text, title="Albania", heading_path=("Albania", "Politics")) == {}
