"""Where the demo's users are: towns of the world and the addresses that stand for them.

This table is the one truth: the population draws its addresses from it, and `contrib/data/make_demo_mmdb.py`
makes `data/demo.mmdb` of it. All addresses are of the ranges reserved for documentation (RFC 5737,
RFC 3849), so they belong to nobody.
"""

from functools import cache
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import NamedTuple

COUNTRIES = {
    "AR": "Argentina", "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria",
    "BR": "Brazil", "CA": "Canada", "CH": "Switzerland", "CL": "Chile", "CN": "China",
    "CO": "Colombia", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia",
    "EG": "Egypt", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom",
    "GE": "Georgia", "GR": "Greece", "HR": "Croatia", "HU": "Hungary", "ID": "Indonesia",
    "IE": "Ireland", "IL": "Israel", "IN": "India", "IR": "Iran", "IS": "Iceland", "IT": "Italy",
    "JP": "Japan", "KE": "Kenya", "KR": "South Korea", "LT": "Lithuania", "LV": "Latvia",
    "MA": "Morocco", "MX": "Mexico", "NG": "Nigeria", "NL": "The Netherlands", "NO": "Norway",
    "NZ": "New Zealand", "PH": "Philippines", "PL": "Poland", "PT": "Portugal", "RO": "Romania",
    "RS": "Serbia", "RU": "Russia", "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia",
    "TR": "Türkiye", "TW": "Taiwan", "UA": "Ukraine", "US": "United States", "UY": "Uruguay",
    "VN": "Vietnam", "ZA": "South Africa",
}  # fmt: skip


class Town(NamedTuple):
    """A place: ISO 3166-1 country, ISO 3166-2 suffix and name, GeoNames id and name; `weight`, its share.

    A database often knows no more than the country, or the country and the subdivision: so do some of these.
    """

    weight: int
    country: str
    subdivision: str | None = None
    subdivision_name: str = ""
    city: int | None = None
    city_name: str = ""


# The order decides the addresses: a change of it, or of a weight, asks for a new demo.mmdb.
TOWNS = (
    Town(7, "DE", "BE", "Berlin", 2950159, "Berlin"),
    Town(5, "DE", "HH", "Hamburg", 2911298, "Hamburg"),
    Town(5, "DE", "BY", "Bavaria", 2867714, "Munich"),
    Town(5, "DE", "HE", "Hesse", 2925533, "Frankfurt am Main"),
    Town(4, "DE", "NW", "North Rhine-Westphalia", 2886242, "Cologne"),
    Town(4, "DE", "SN", "Saxony", 2879139, "Leipzig"),
    Town(2, "DE", "BW", "Baden-Württemberg", 2925177, "Freiburg im Breisgau"),
    Town(3, "DE", "NW", "North Rhine-Westphalia"),
    Town(5, "DE"),
    Town(6, "FR", "IDF", "Île-de-France", 2988507, "Paris"),
    Town(3, "FR", "ARA", "Auvergne-Rhône-Alpes", 2996944, "Lyon"),
    Town(2, "FR", "OCC", "Occitanie", 2972315, "Toulouse"),
    Town(3, "FR"),
    Town(4, "US", "NY", "New York", 5128581, "New York"),
    Town(3, "US", "CA", "California", 5391959, "San Francisco"),
    Town(3, "US", "OR", "Oregon", 5746545, "Portland"),
    Town(2, "US", "TX", "Texas", 4671654, "Austin"),
    Town(2, "US", "IL", "Illinois", 4887398, "Chicago"),
    Town(2, "US", "CA", "California"),
    Town(4, "US"),
    Town(5, "GB", "ENG", "England", 2643743, "London"),
    Town(2, "GB", "ENG", "England", 2643123, "Manchester"),
    Town(2, "GB", "SCT", "Scotland", 2650225, "Edinburgh"),
    Town(2, "GB"),
    Town(4, "NL", "NH", "North Holland", 2759794, "Amsterdam"),
    Town(2, "NL", "UT", "Utrecht", 2745912, "Utrecht"),
    Town(2, "BE", "BRU", "Brussels Capital", 2800866, "Brussels"),
    Town(1, "BE", "VLG", "Flanders", 2797656, "Ghent"),
    Town(3, "CH", "ZH", "Zurich", 2657896, "Zurich"),
    Town(1, "CH", "GE", "Geneva", 2660646, "Geneva"),
    Town(3, "AT", "9", "Vienna", 2761369, "Vienna"),
    Town(1, "AT", "6", "Styria", 2778067, "Graz"),
    Town(3, "IT", "25", "Lombardy", 3173435, "Milan"),
    Town(2, "IT", "62", "Lazio", 3169070, "Rome"),
    Town(1, "IT", "45", "Emilia-Romagna", 3181928, "Bologna"),
    Town(3, "ES", "MD", "Madrid", 3117735, "Madrid"),
    Town(2, "ES", "CT", "Catalonia", 3128760, "Barcelona"),
    Town(2, "PT", "11", "Lisbon", 2267057, "Lisbon"),
    Town(3, "PL", "14", "Mazovia", 756135, "Warsaw"),
    Town(2, "PL", "12", "Lesser Poland", 3094802, "Krakow"),
    Town(2, "CZ", "10", "Prague", 3067696, "Prague"),
    Town(2, "SE", "AB", "Stockholm", 2673730, "Stockholm"),
    Town(1, "SE", "O", "Västra Götaland", 2711537, "Gothenburg"),
    Town(1, "NO", "03", "Oslo", 3143244, "Oslo"),
    Town(2, "DK", "84", "Capital Region", 2618425, "Copenhagen"),
    Town(2, "FI", "18", "Uusimaa", 658225, "Helsinki"),
    Town(1, "IS", "1", "Capital Region", 3413829, "Reykjavik"),
    Town(1, "EE", "37", "Harju", 588409, "Tallinn"),
    Town(1, "LV", "RIX", "Riga", 456172, "Riga"),
    Town(1, "LT", "VL", "Vilnius", 593116, "Vilnius"),
    Town(1, "IE", "L", "Leinster", 2964574, "Dublin"),
    Town(2, "UA", "30", "Kyiv City", 703448, "Kyiv"),
    Town(1, "UA", "46", "Lviv", 702550, "Lviv"),
    Town(1, "RO", "CJ", "Cluj", 681290, "Cluj-Napoca"),
    Town(1, "HU", "BU", "Budapest", 3054643, "Budapest"),
    Town(1, "GR", "I", "Attica", 264371, "Athens"),
    Town(1, "BG", "22", "Sofia-Capital", 727011, "Sofia"),
    Town(1, "RS", "00", "Belgrade", 792680, "Belgrade"),
    Town(1, "SI", "061", "Ljubljana", 3196359, "Ljubljana"),
    Town(1, "HR", "21", "City of Zagreb", 3186886, "Zagreb"),
    Town(2, "TR", "34", "Istanbul", 745044, "Istanbul"),
    Town(2, "RU", "MOW", "Moscow", 524901, "Moscow"),
    Town(1, "RU", "SPE", "St. Petersburg", 498817, "St Petersburg"),
    Town(1, "GE", "TB", "Tbilisi", 611717, "Tbilisi"),
    Town(1, "IL", "TA", "Tel Aviv", 293397, "Tel Aviv"),
    Town(1, "IR", "23", "Tehran", 112931, "Tehran"),
    Town(2, "CA", "QC", "Quebec", 6077243, "Montreal"),
    Town(2, "CA", "ON", "Ontario", 6167865, "Toronto"),
    Town(1, "MX", "CMX", "Mexico City", 3530597, "Mexico City"),
    Town(3, "BR", "SP", "São Paulo", 3448439, "São Paulo"),
    Town(1, "BR", "RS", "Rio Grande do Sul", 3452925, "Porto Alegre"),
    Town(1, "AR", "C", "Buenos Aires F.D.", 3435910, "Buenos Aires"),
    Town(1, "CL", "RM", "Santiago Metropolitan", 3871336, "Santiago"),
    Town(1, "CO", "DC", "Bogota D.C.", 3688689, "Bogotá"),
    Town(1, "UY", "MO", "Montevideo", 3441575, "Montevideo"),
    Town(3, "JP", "13", "Tokyo", 1850147, "Tokyo"),
    Town(1, "JP", "27", "Osaka", 1853909, "Osaka"),
    Town(1, "KR", "11", "Seoul", 1835848, "Seoul"),
    Town(1, "TW", "TPE", "Taipei City", 1668341, "Taipei"),
    Town(2, "CN"),
    Town(2, "IN", "KA", "Karnataka", 1277333, "Bengaluru"),
    Town(1, "IN", "MH", "Maharashtra", 1275339, "Mumbai"),
    Town(1, "IN"),
    Town(1, "ID", "JK", "Jakarta", 1642911, "Jakarta"),
    Town(1, "VN", "HN", "Hanoi", 1581130, "Hanoi"),
    Town(1, "PH"),
    Town(1, "SG"),
    Town(2, "AU", "VIC", "Victoria", 2158177, "Melbourne"),
    Town(1, "AU", "NSW", "New South Wales", 2147714, "Sydney"),
    Town(1, "NZ", "WGN", "Wellington Region", 2179537, "Wellington"),
    Town(1, "ZA", "WC", "Western Cape", 3369157, "Cape Town"),
    Town(1, "KE", "30", "Nairobi County", 184745, "Nairobi"),
    Town(1, "NG", "LA", "Lagos", 2332459, "Lagos"),
    Town(1, "EG", "C", "Cairo Governorate", 360630, "Cairo"),
    Town(1, "MA", "06", "Casablanca-Settat", 2553604, "Casablanca"),
)

_IPV4 = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_IPV6 = IPv6Network("2001:db8::/32")
_IPV6_SHARE = 0.4
_NOWHERE_SHARE = 0.04  # through an onion service, a tunnel, or from a network that no database knows


class Spot(NamedTuple):
    """An address and the town that it stands for, None where the database has no answer."""

    address: str
    town: Town | None


@cache
def networks() -> tuple[tuple[Town, tuple[IPv4Network | IPv6Network, ...]], ...]:
    """The networks of each town: as many IPv4 /30s as its weight says, and an IPv6 /48."""
    blocks = (block for network in _IPV4 for block in network.subnets(new_prefix=30))
    subnets = _IPV6.subnets(new_prefix=48)
    next(subnets)  # 2001:db8::/48 is what people write by hand in tests: it stays unknown
    return tuple((town, (*(next(blocks) for _ in range(town.weight)), next(subnets))) for town in TOWNS)


def somewhere(rng: Random) -> Spot:
    """An address drawn by the weights of the towns, sometimes of nowhere."""
    if rng.random() < _NOWHERE_SHARE:
        return Spot(rng.choice(("127.0.0.1", "::1", "10.8.0.7", "2001:db8:ffff::5")), None)
    town, (*blocks, subnet) = rng.choices(networks(), _weights())[0]
    if rng.random() < _IPV6_SHARE:
        return Spot(str(subnet[rng.getrandbits(80)]), town)
    address = str(rng.choice(blocks)[rng.randrange(4)])
    # A server that listens on :: alone sees IPv4 clients like this.
    return Spot(f"::ffff:{address}" if rng.random() < 0.02 else address, town)


@cache
def _weights() -> tuple[int, ...]:
    return tuple(town.weight for town in TOWNS)
