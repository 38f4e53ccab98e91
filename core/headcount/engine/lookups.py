"""The look-ups of places and clients, while they run: files that are new, and what is wrong with files and patterns."""

import logging

from headcount.clients.patterns import ClientPatterns
from headcount.engine.problems import CLIENTS, PLACES, Problems
from headcount.places.lookup import Places
from headcount.records import Problem

log = logging.getLogger("headcount")


def look_after(places: Places, clients: ClientPatterns, problems: Problems) -> None:
    """Takes a GeoIP file into use that has proved itself, and notes what is wrong."""
    if places.refresh():
        log.info("places: now from %s", places.label)
    urgent = [Problem("places", places.label, "", why, is_urgent=True) for why in places.losses]
    said = (*places.warnings, *places.notes, *places.problems)
    problems.replace(PLACES, [*urgent, *(Problem("places", places.label, "", why) for why in said)])
    problems.replace(CLIENTS, [Problem("client pattern", "client_patterns", "", why) for why in clients.problems])
