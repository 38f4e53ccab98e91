"""Days and months as people write them."""

from datetime import datetime, tzinfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def month_title(month: str) -> str:
    """A month as a short word for a column: `Oct 2026`."""
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


def day(when: float, zone: tzinfo) -> str:
    """`22 Nov`."""
    moment = datetime.fromtimestamp(when, zone)
    return f"{moment.day} {MONTHS[moment.month - 1]}"
