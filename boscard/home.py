"""Where all that a run writes lies: `var/` beside the code, unless BOSCARD_HOME names another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one installation. Nothing is created by asking for a path."""

    root: Path

    @classmethod
    def default(cls) -> Home:
        return cls(Path(os.environ.get("BOSCARD_HOME") or PROJECT / "var").absolute())

    def create(self) -> None:
        """Make the folder, open to its owner only: it holds personal data and secrets."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def landing(self) -> Path:
        """Landed batches, save where `landing.url` names another place:
        `<source>/<account>/<stream>/<batch>/`."""
        return self.root / "landing"

    @property
    def fictitious(self) -> Path:
        """Is there once a night has asked the sandbox."""
        return self.root / "fictitious"

    @property
    def scratch(self) -> Path:
        """Beside a landing in object storage: its locks, drafts, and what is fetched from it."""
        return self.root / "scratch"

    @property
    def spilled(self) -> Path:
        """What the gate's memory does not hold, while it judges."""
        return self.root / "spilled"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that only the pipeline opens."""
        return self.root / "warehouse" / "warehouse.duckdb"

    @property
    def replays(self) -> Path:
        """Nights rebuilt from landing, each with a warehouse of its own."""
        return self.root / "replays"

    @property
    def publications(self) -> Path:
        """Versioned DuckDB files, `current.duckdb` and the Parquet folders."""
        return self.root / "publications"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def outbox(self) -> Path:
        """Messages to people, one file each, and what has been sent."""
        return self.root / "outbox"

    @property
    def incidents(self) -> Path:
        """What is known of each account's incidents, a file an account."""
        return self.outbox / "incidents"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def hash_key(self) -> Path:
        """The made key of personal columns' hashes (0600), where no connection holds one."""
        return self.root / "secrets" / "hash_key"

    @property
    def postgres(self) -> Path:
        """The embedded Postgres: data folder, port, generated passwords (0600)."""
        return self.root / "postgres"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def tokens(self) -> Path:
        """Locks for refreshing tokens; rotated tokens too where no Airflow keeps them."""
        return self.root / "tokens"

    @property
    def dbt_target(self) -> Path:
        """dbt's compiled SQL, manifest.json and run_results.json."""
        return self.root / "dbt"

    @property
    def services(self) -> Path:
        """What `boscard up` started, by process."""
        return self.root / "services.json"
