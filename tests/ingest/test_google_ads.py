"""Google Ads against a vendor of its own: paging, the query, the manager, and what lands."""

from __future__ import annotations

import json
from datetime import date

import pytest
from conftest import HURRIED
