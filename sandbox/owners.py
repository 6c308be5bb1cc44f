"""The owners of the CRM's records, as they are at an instant."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from sandbox.crm_view import newest, owner_ids
from sandbox.draws import HOUR, NEVER, day_start_ms, instants
from sandbox.names import OWNERS

_LEFT_ON, _JOINED_ON = 10, 7


def owner_frame(start: date, zone: ZoneInfo, now_ms: int) -> pd.DataFrame:
    """The owners of records: one leaves on the company's eleventh day, one joins on its eighth."""
    begin = day_start_ms(start, zone) + 8 * HOUR
    left = day_start_ms(start + timedelta(days=_LEFT_ON), zone) + 16 * HOUR
    joined_on = day_start_ms(start + timedelta(days=_JOINED_ON), zone) + 9 * HOUR
    count = len(OWNERS)
    created = np.full(count, begin)
    created[-1] = joined_on
    archived = np.full(count, NEVER)
    archived[3] = left
    frame = pd.DataFrame(
        {
            "owner_id": owner_ids(),
            "email": [
                f"{given.lower()}.{family.lower()}@northwind-trails.example"
                for given, family in OWNERS
            ],
            "first_name": [given for given, _ in OWNERS],
            "last_name": [family for _, family in OWNERS],
            "user_id": [str(9_586_501 + number) for number in range(count)],
            "is_archived": archived <= now_ms,
            "created_at": instants(created, now_ms),
            "updated_at": instants(newest(created, [archived], now_ms), now_ms),
            "team": ["Sales US" if number % 3 == 2 else "Sales EMEA" for number in range(count)],
        }
    )
    return frame[created <= now_ms].reset_index(drop=True)
