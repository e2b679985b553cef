"""Words of sentences: instants, spans, and the beginning of the gravest alarm."""

from datetime import datetime, timedelta

HEADLINE = "COMPROMISED CREDENTIAL STILL WORKS"
"""First words of the alarm about a compromised credential."""


def day(at: datetime | None) -> str:
    """An instant for people: to the minute, UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "an unknown time"


def days(span: timedelta) -> str:
    """Return a span for people, in its largest sensible unit."""
    seconds = span.total_seconds()
    if abs(seconds) >= 2 * 86400:
        return f"{seconds / 86400:.0f} days"
    return f"{seconds / 3600:.0f} h" if abs(seconds) >= 7200 else f"{seconds / 60:.0f} min"
