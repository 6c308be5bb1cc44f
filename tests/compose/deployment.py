"""One deployment of docker-compose.yml under test: brought up, looked at, disturbed, taken down."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from boscard.home import PROJECT

FILE = PROJECT / "docker-compose.yml"
BUILD_SECONDS = 3600
HEALTH_SECONDS = 900


def until(seconds: float, what: str, is_so: Callable[[], Any], pause: float = 2) -> Any:
    """Poll until the answer is truthy; fails with `what` when it does not come in time."""
    deadline = time.monotonic() + seconds
    while not (answer := is_so()):
        assert time.monotonic() < deadline, f"{seconds:.0f} s and not yet: {what}"
        time.sleep(pause)
    return answer


def compose_command() -> list[str]:
    """`COMPOSE`, or what is found: docker compose with a daemon, podman-compose."""
    if wanted := os.environ.get("COMPOSE"):
        return shlex.split(wanted)
    has_docker = shutil.which("docker") and not subprocess.call(
        ["docker", "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if not has_docker and shutil.which("podman-compose"):
        return ["podman-compose"]
    return ["docker", "compose"]


@dataclass(frozen=True)
class Deployment:
    """`folder` holds .env, connections.env and override.yml, which comes after the compose file;
    `profiles` say which services there are.
    """

    command: list[str]
    project: str
    folder: Path
    profiles: tuple[str, ...]

    @property
    def engine(self) -> str:
        return "podman" if "podman" in self.command[0] else "docker"

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services of the chosen profiles, each after those it depends on."""
        known = yaml.safe_load(FILE.read_text("utf-8"))["services"]
        ordered: dict[str, dict[str, Any]] = {}

        def add(name: str) -> None:
            for other in known[name].get("depends_on", {}):
                add(other)
            ordered[name] = known[name]

        for name, service in known.items():
            profiles = service.get("profiles")
            if profiles is None or set(profiles) & set(self.profiles):
                add(name)
        return ordered

    def compose(self, *arguments: str) -> None:
        profiles = [word for name in self.profiles for word in ("--profile", name)]
        files = [FILE, self.folder / "override.yml"]
        self._run(
            *[*self.command, "--project-name", self.project],
            *(word for file in files for word in ("--file", str(file))),
            *["--env-file", str(self.folder / ".env"), *profiles, *arguments],
            timeout=BUILD_SECONDS,
        )

    def up(self, last: str | None = None) -> None:
        """Start everything, or all up to `last`, in the order of `depends_on`, which podman before
        4.6 cannot keep.
        """
        if self.engine == "docker":
            return self.compose("up", "--detach", *([last] if last else []))
        for name, service in self.services.items():
            for other, how in service.get("depends_on", {}).items():
                if how["condition"] == "service_healthy":
                    self.wait_healthy(other)
                else:
                    until(HEALTH_SECONDS, f"{other} ends", lambda other=other: self._ended(other))
            self.compose("up", "--detach", "--no-deps", name)
            if name == last:
                break
        return None

    def run(self, name: str, *command: str) -> None:
        """A command in a container of its own, beside what is up."""
        self.compose("run", "--rm", "--no-deps", name, *command)

    def wait_healthy(self, *names: str) -> None:
        for name in names or self.services:
            if "healthcheck" in self.services[name]:
                until(HEALTH_SECONDS, f"{name} is healthy", lambda name=name: self._healthy(name))

    def restart(self, name: str) -> None:
        self._run(self.engine, "restart", "--time", "5", self._container(name))

    def kill_and_start(self, name: str) -> None:
        self._run(self.engine, "kill", self._container(name))
        self._run(self.engine, "start", self._container(name))

    def execute(self, name: str, *command: str) -> str:
        return self._run(self.engine, "exec", self._container(name), *command)

    def logs(self, name: str) -> str:
        return self._run(self.engine, "logs", self._container(name))

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    def remains(self) -> list[str]:
        """Containers, volumes and networks of this project that are still there."""
        found = list(self._containers())
        for kind in ("volume", "network"):
            names = self._run(self.engine, kind, "ls", "--format", "{{.Name}}").split()
            found += [name for name in names if name.startswith(f"{self.project}_")]
        return found

    def built(self, name: str) -> set[str]:
        """The ids of images of this name, and of those without any: the stages of builds."""
        listing = ["image", "ls", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}"]
        lines = [line.split() for line in self._run(self.engine, *listing).splitlines()]
        return {found for found, of in lines if of == "<none>" or of.endswith(name)}

    def remove_images(self, ids: set[str]) -> None:
        if ids:
            self._run(self.engine, "image", "rm", "--force", *ids)

    def _containers(self, *filters: str) -> Iterator[str]:
        wanted = [f"com.docker.compose.project={self.project}", *filters]
        labels = [word for label in wanted for word in ("--filter", f"label={label}")]
        yield from self._run(self.engine, "ps", "--all", "--quiet", *labels).split()

    def _container(self, name: str) -> str:
        [container] = self._containers(f"com.docker.compose.service={name}")
        return container

    def _state(self, name: str) -> dict[str, Any]:
        shown = self._run(self.engine, "inspect", "--type=container", self._container(name))
        state: dict[str, Any] = json.loads(shown)[0]["State"]
        return state

    def _ended(self, name: str) -> bool:
        state = self._state(name)
        if state["Status"] != "exited":
            return False
        assert state["ExitCode"] == 0, self.logs(name)
        return True

    def _healthy(self, name: str) -> bool:
        state = self._state(name)
        assert state["Status"] != "exited", self.logs(name)[-4000:]
        if self.engine == "docker":
            return bool(state["Health"]["Status"] == "healthy")
        # podman leaves it to systemd to run the checks, which need not be there
        check = [self.engine, "healthcheck", "run", self._container(name)]
        return not subprocess.call(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _run(self, *command: str, timeout: float = 300) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=PROJECT, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr if command[1] == "logs" else done.stdout
