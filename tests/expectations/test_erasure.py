"""What stays of a vendor's row when its person is forgotten, and where an address ends."""

from __future__ import annotations

import pytest

from expectations.erasure import FORGOTTEN, Kept, mention, without
from ingest.stream import Column

ADA = mention("ada@post.example")
KEPT = Kept.of(
    [
        Column("id", "id", "text"),
        Column("email", "properties.email", "text", personal="email"),
        Column("stage", "properties.stage", "text"),
        Column("amount", "properties.amount", "decimal"),
        Column("form", "@form", "text"),
        Column("answers", "answers", "json", kept=("field.id", "number")),
        Column("to", "to", "json"),
    ]
)


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ('{"id":"1","name":"Ada"}', '{"id":"1","name":null}'),
        (
            '{"properties":{"email":"ada@post.example","stage":"lead","amount":"1.50"}}',
            '{"properties":{"email":null,"stage":"lead","amount":"1.50"}}',
        ),
        (
            '{"answers":[{"field":{"id":"f","ref":"r"},"number":9},{"text":"me","number":1e400}]}',
            '{"answers":[{"field":{"id":"f","ref":null},"number":9},{"text":null,"number":1e400}]}',
        ),
        ('{"new":{"deep":["Ada",{"x":1}],"no":[]}}', '{"new":{"deep":[null,{"x":null}],"no":[]}}'),
        ('{"to":[{"toObjectId":12345678901234567}]}', '{"to":[{"toObjectId":12345678901234567}]}'),
        (
            '{"properties":{"stage":"from ADA@post.example, 2nd"}}',
            f'{{"properties":{{"stage":"from {FORGOTTEN}, 2nd"}}}}',
        ),
        ('{"properties":"none"}', '{"properties":null}'),
        ("not JSON of ada@post.example", "null"),
        ('{"id":"1"', "null"),
    ],
)  # fmt: skip
def test_what_is_described_and_of_nobody_stays(row, left):
    assert without(row.encode(), KEPT, ADA).decode() == left
    assert without(left.encode(), KEPT, ADA).decode() == left


def test_no_number_is_written_anew():
    row = '{"properties":{"amount":-0.10,"stage":1e2}}'
    assert without(row.encode(), KEPT, ADA).decode() == row


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("ada@post.example", True),
        ("<Ada@Post.Example>", True),
        ("write to ada@post.example.", True),
        ("dr.ada@post.example", False),
        ("ada+news@post.example", False),
        ("x+ada@post.example", False),
        ("ada@post.example.org", False),
        ("ada@post.examples", False),
    ],
)
def test_an_address_is_not_a_part_of_a_longer_one(text, is_there):
    assert bool(ADA.search(text)) is is_there
