"""`healthy.py URL [PART…]` exits 0 when URL answers and says that each named part is healthy."""

from __future__ import annotations

import json
import sys
import urllib.request

url, *parts = sys.argv[1:]
with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310, an URL of docker-compose.yml
    content = answer.read()
health = json.loads(content) if parts else {}
sys.exit(not all(health[part]["status"] == "healthy" for part in parts))
