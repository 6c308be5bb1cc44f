"""What people, firms and tours are called; none exists, and every domain ends in .example."""

from __future__ import annotations

from functools import lru_cache

GIVEN_NAMES = (
    *("Anna", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hannes", "Ines", "Jonas"),
    *("Katrin", "Luís", "Mia", "Noah", "Olga", "Paul", "Quentin", "Rosa", "Søren", "Thea"),
    *("Uwe", "Vera", "William", "Xenia", "Yusuf", "Zoë", "Siobhán", "Jean-Luc", "María José"),
)
FAMILY_NAMES = (
    *("Müller", "Schmidt", "O'Brien", "Garcia", "Nguyen", "Weiß", "Johnson", "Kowalski"),
    *("van den Berg", "Smith", "Öztürk", "Brown", "Fischer", "Miller", "Dubois", "Rossi"),
    *("Jensen", "Davis", "Huber", "Wilson", "Novák", "Taylor", "Schäfer", "Anderson", "Lee"),
)
COUNTRIES = ("Germany", "Austria", "Switzerland", "United States", "Canada")
DEAL_SUBJECTS = (
    *("team days", "leadership week", "hut to hut, 12 people", "summer offsite", "winter camp"),
    *("coast path", "canyon week", "guided weekend", 'volcano trek "plus"', "season pass"),
)
OWNERS = (
    *(("Lena", "Vogt"), ("Marco", "Bianchi"), ("Sara", "Lindqvist"), ("Tom", "Becker")),
    *(("Priya", "Nair"), ("Jakob", "Maier"), ("Emily", "Carter"), ("Luca", "Steiner")),
    *(("Hanna", "Roth"), ("Michael", "Reed"), ("Nadia", "Haddad"), ("Felix", "Braun")),
    *(("Grace", "Kim"), ("Oliver", "Stone"), ("Ida", "Holm"), ("Jan", "Keller")),
    ("Ruth", "Adler"),
)
_FIRM_WORDS = (
    *("Adler", "Birke", "Cedar", "Delta", "Esche", "Fjord", "Granit", "Harbor", "Isar", "Juniper"),
    *("Kiefer", "Lark", "Moor", "Nord", "Oak", "Pine", "Quarz", "Ridge", "Summit", "Tanne"),
)
_FIRM_TRADES = ("Logistics", "Software", "Bau", "Foods", "Energy", "Medien", "Textil", "Robotics")
_FIRM_FORMS = ("GmbH", "AG", "Inc.", "& Söhne KG", "LLC", '"Nord" GmbH')


@lru_cache(maxsize=200_000)
def company_name(number: int, is_renamed: bool) -> str:
    """The name of the company with this number; a renamed one joined a group."""
    word, rest = _FIRM_WORDS[number % 20], number // 20
    name = f"{word} {_FIRM_TRADES[rest % 8]} {rest // 8 + 1} {_FIRM_FORMS[number % 6]}"
    return f"{name} (Group)" if is_renamed else name


def company_domain(number: int) -> str:
    return f"{_FIRM_WORDS[number % 20].lower()}-{number}.example"


def email_address(given: str, family: str, company: int, number: int) -> str | None:
    """An address at the company, or at a mail provider for a person without; a few have none."""
    if number % 89 == 44:
        return None
    local = f"{given}.{family}".lower().replace(" ", "").replace("'", "").translate(_PLAIN)
    domain = company_domain(company) if company >= 0 else "mail.example"
    return f"{local}{number}@{domain}"


_PLAIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "í": "i", "ø": "o", "ë": "e", "é": "e", "á": "a"}
)
