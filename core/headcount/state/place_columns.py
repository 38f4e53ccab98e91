"""A place as the columns of a table: what is unknown is '' and 0, since a primary key needs values."""

from headcount.snapshot import Place


def columns(place: Place) -> tuple[str, str, int]:
    """Country, subdivision and city, as they are kept."""
    return place.country or "", place.subdivision or "", place.city or 0


def place_of(country: str, subdivision: str, city: int) -> Place:
    """The place that was kept as these."""
    return Place(country or None, subdivision or None, city or None)
