"""Strategies for stories: hypothesis chooses the events, and shrinks a failing story."""

from hypothesis import strategies as st

from tests.matrices.effects import READS, WRITES
from tests.matrices.operations import READING, WRITING
from tests.matrices.people import CHANGES
from tests.matrices.process import SLEEPING, Point, Strike
from tests.matrices.story import VERBS, Act, Command, Condition, Event, Pause, Story, Wait
from tests.matrices.worlds import WORLDS

CONDITIONS = (
    *(
        ("aci.containerGroups.createOrUpdate", kind, "")
        for kind in ("transitioning", "inaccessible", "quota", "crash", "failed_lro")
    ),
    ("aci.containerGroups.createOrUpdate", "failed_pull", "3"),
    ("aci.containerGroups.createOrUpdate", "failed_pull", "0"),
    ("graph.applications.addPassword", "concurrency", ""),
    ("graph.applications.removePassword", "concurrency", ""),
)
SPANS = (5.0, 130.0, 700.0, 3700.0, 90_000.0, 260_000.0)
"""Seconds of a suspension: from a hiccup to beyond the overlap and reclaim_after."""
WAITS = (0.1, 1.0, 6.0, 25.0, 25.0, 73.0)

_nth = st.sampled_from((1, 1, 1, 2, 2, 3, 4, 5, 7, 9, 12))
_writing, _reading = WRITING, READING
_points = st.builds(
    Point, st.sampled_from((*_writing, *_writing, *_reading, SLEEPING)), _nth, st.sampled_from(("before", "after"))
)
_strikes = st.one_of(
    st.builds(Strike, st.sampled_from(_writing), st.sampled_from((1, 1, 2)), st.sampled_from(WRITES)),
    st.builds(Strike, st.sampled_from(_reading), _nth, st.sampled_from(READS)),
)
_conditions = st.builds(
    lambda each, nth: Condition(each[0], each[1], nth, each[2]),
    st.sampled_from(CONDITIONS),
    st.sampled_from((1, 1, 2, 3)),
)
_verbs = st.sampled_from(("rotate", "rotate", "rotate early", *VERBS))
_acts = st.builds(Act, st.sampled_from(tuple(CHANGES)))
_waits = st.builds(Wait, st.sampled_from(WAITS))


def _commands(inner: st.SearchStrategy[Event], lease: bool) -> st.SearchStrategy[Command]:
    pauses = st.builds(Pause, _points, st.sampled_from(SPANS), st.lists(inner, max_size=2).map(tuple), st.booleans())
    return st.one_of(
        st.builds(Command, _verbs, lease=st.just(lease)),
        st.builds(
            Command,
            _verbs,
            st.lists(_strikes, min_size=1, max_size=2).map(tuple),
            st.lists(_conditions, max_size=1).map(tuple),
            lease=st.just(lease),
        ),
        st.builds(Command, _verbs, death=_points, lease=st.just(lease)),
        st.builds(Command, _verbs, st.lists(_strikes, max_size=1).map(tuple), pause=pauses, lease=st.just(lease)),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw at least five commands and three other events, in any order, with up to three processes at once."""
    lease = draw(st.booleans())
    simple = st.one_of(st.builds(Command, _verbs, lease=st.just(lease)), _acts)
    within = st.one_of(simple, _commands(simple, lease))
    commands = draw(st.lists(_commands(within, lease), min_size=5, max_size=6))
    others = draw(st.lists(st.one_of(_acts, _waits, _waits), min_size=3, max_size=5))
    return Story(draw(st.sampled_from(tuple(WORLDS))), tuple(draw(st.permutations([*commands, *others]))))
