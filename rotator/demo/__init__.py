"""Story of `rotator demo`: a whole rotation against a local Azure, with every claim checked there.

A separate entry point: the demo starts processes, reads the clock and draws ids. All requirements come with the
`emulator` extra.
"""

import time

from rotator.demo import table
from rotator.demo.scene import Stage, stage
from rotator.demo.story import STORY, TABLE_AFTER, Chapter
from rotator.demo.voice import Voice


def play() -> bool:
    """Tell the story; return True if every claim is true."""
    voice, began = Voice(), time.monotonic()
    voice.say(
        "rotator: new registry passwords for container groups that run unattended, with no moment at which a pull could"
        " fail",
        "bold",
    )
    with stage(voice) as made:
        for number, chapter in enumerate(STORY, start=1):
            _tell(made, number, chapter)
    lasted = time.monotonic() - began
    voice.say()
    voice.say(
        (
            f"{voice.failed} claims failed."
            if voice.failed
            else f"Every claim held. That took {lasted:.0f} seconds, and no subscription."
        ),
        "bold",
    )
    return not voice.failed


def _tell(made: Stage, number: int, chapter: Chapter) -> None:
    made.voice.chapter(number, chapter.title, chapter.why)
    for act in chapter.acts:
        act(made)
    for claim in chapter.claims:
        made.voice.claim(claim.text, claim.holds(made))
    if chapter.title == TABLE_AFTER:
        table.show(made)
