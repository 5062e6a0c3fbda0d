"""pytest-celery without Docker: its broker and workers are processes of ours."""

from signal import Signals

from tests.support.processes import ControlledProcess


class Container:
    """A process with the interface of a Docker container that a node of pytest-celery uses.

    The plugin supports containers alone, by the names of Docker's client. Only this place uses
    those names.
    """

    def __init__(self, process: ControlledProcess, **celeryconfig: str) -> None:
        self.process, self.celeryconfig = process, celeryconfig
        self.name = self.id = process.name

    @property
    def status(self) -> str:
        return "running" if self.process.is_alive else "exited"

    def ready(self) -> bool:
        return self.process.wait_ready().is_alive

    def logs(self) -> str:
        return self.process.output

    def kill(self, signal: str) -> None:
        self.process.send(Signals[signal])
        if signal in ("SIGKILL", "SIGTERM"):
            self.process.wait(30)

    def restart(self, timeout: float) -> None:
        self.process.kill()
        self.process.start().wait_ready(timeout)

    def reload(self) -> None:
        """Docker's client caches what a container is like; we look each time."""

    def teardown(self) -> None:
        self.process.kill()
