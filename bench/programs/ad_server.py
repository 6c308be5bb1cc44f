"""Google Ads' search on loopback, in a process of its own: pages made once, then only sent."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from bench.ad_rows import Report

FIELDS = b'"fieldMask":"customer.id,campaign.id,adGroup.id,adGroupAd.ad.id,metrics,segments.date"'


def bodies(report: Report) -> list[bytes]:
    """The answers, one a page; all but the last name the next."""
    pages = [b",".join(rows) for rows in report.pages()]
    return [
        b'{"results":[%s],%s%s}'
        % (rows, FIELDS, b',"nextPageToken":"%d"' % number if number < len(pages) else b"")
        for number, rows in enumerate(pages, start=1)
    ]


class Handler(BaseHTTPRequestHandler):
    """Answers each POST with the page that its pageToken names."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pages: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = self.pages[int(asked.get("pageToken", 0))]
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: a line a call would be work."""


def main() -> None:
    """ad_server DAYS ADS: prints its address, then serves until its input is closed."""
    Handler.pages = bodies(Report(int(sys.argv[1]), int(sys.argv[2])))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
