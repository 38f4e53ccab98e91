"""What the counting works with, looked at as it goes: the GeoIP files and the client patterns."""

import logging

from headcount.clients.patterns import ClientPatterns
from headcount.engine.problems import Problems, Subject
from headcount.places.lookup import Places
from headcount.records import Problem

log = logging.getLogger("headcount")


def look_at_tools(places: Places, clients: ClientPatterns, problems: Problems) -> None:
    """Takes a GeoIP file into use that has proved itself, and notes what is wrong with files and patterns."""
    if places.refresh():
        log.info("places: now from %s", places.label)
    said = (*places.warnings, *places.notes, *places.problems)
    lost = [Problem("places", places.label, "", why, is_urgent=True) for why in places.losses]
    problems.replace(Subject("places"), [*lost, *(Problem("places", places.label, "", why) for why in said)])
    wrong = [Problem("client pattern", "client_patterns", "", why) for why in clients.problems]
    problems.replace(Subject("clients"), wrong)
