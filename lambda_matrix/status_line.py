"""The one line that `systemctl status` shows: what is waited for, else how far the service is."""

from attrs import define

from lambda_matrix import sd_notify
from lambda_matrix.client_server_api.backoff import Health, HomeserverAway, HomeserverBack
from lambda_matrix.disk import DiskHealth, DiskObeys, DiskRefuses


@define
class StatusLine:
    """Puts together what the parts know, and says it each time that it changes."""

    _phase: str = "starting"
    _disk: str | None = None
    _homeserver: str | None = None
    _remark: str | None = None

    def enter(self, phase: str) -> None:
        """How far the service is: "catching up", "ready"."""
        self._phase = phase
        self._say()

    def remark(self, text: str | None) -> None:
        """Something that the operator should know as long as the service runs."""
        self._remark = text
        self._say()

    def homeserver(self, health: Health) -> None:
        """Whether the homeserver is there."""
        match health:
            case HomeserverAway(why):
                self._homeserver = f"waiting for the homeserver: {why}"
            case HomeserverBack():
                self._homeserver = None
        self._say()

    def disk(self, health: DiskHealth) -> None:
        """Whether the disk takes what is written; it comes before everything else."""
        match health:
            case DiskRefuses(why):
                self._disk = f"waiting for the disk: {why}"
            case DiskObeys():
                self._disk = None
        self._say()

    @property
    def text(self) -> str:
        """The line as it is now."""
        line = self._disk or self._homeserver or self._phase
        return line if self._remark is None else f"{line}; {self._remark}"

    def _say(self) -> None:
        sd_notify.notify(sd_notify.status(self.text))
