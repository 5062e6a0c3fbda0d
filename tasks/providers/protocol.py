"""The protocol of a provider: it starts work, and later reports the result.

A new provider is one file beside this one, a line in `named` and a row in `private.models`; see
docs/architecture.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasks.store import Job


@dataclass(frozen=True, slots=True)
class Done:
    """The work is finished. An output is a file, read once in chunks of bytes, or a text.

    Reading one may raise what `check` may; an Unusable one is left out, if another can be stored.
    """

    outputs: list[Iterable[bytes] | str]


@dataclass(frozen=True, slots=True)
class Started:
    """The provider has accepted the work under `ref`; worth a look in `check_in` seconds."""

    ref: str
    check_in: float


@dataclass(frozen=True, slots=True)
class Pending:
    """Still working; `progress` is a fraction, where the provider tells one."""

    check_in: float
    progress: float | None = None


BUSY = ("provider_unavailable", "The service is busy. Please try again later.")


class Transient(Exception):
    """May succeed later. `code` and `message` are for the user, should it be the last attempt.

    Args:
        retry_after: The provider's own wish, in seconds; it wins over our backoff.
        costs_attempt: False where the job is not to blame, as with a rate limit.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: float | None = None, costs_attempt: bool = True
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.retry_after, self.costs_attempt = retry_after, costs_attempt


class Throttled(Transient):
    """The provider refused because of the number of requests, so nothing was started.

    All start less for a while.

    Args:
        retry_after: How long the provider wants peace, in seconds.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__(*BUSY, retry_after=retry_after, costs_attempt=False)


class OutOfService(Transient):
    """The provider takes no work of ours until an operator acts: no credit, a wrong token, a model
    that is gone.

    Nothing was started, and the job is not to blame: its provider, or that model of it, pauses. One
    job a minute tries.

    Args:
        reason: The message of the provider, for the operator.
        is_model_gone: The other models of the provider go on.
    """

    def __init__(self, reason: str, *, is_model_gone: bool = False) -> None:
        # Longer than the pause, so that another job is the next to try: this one may be the reason.
        super().__init__(*BUSY, retry_after=75.0, costs_attempt=False)
        self.reason, self.is_model_gone = reason, is_model_gone


class Unreachable(Transient):
    """The provider was never asked: no connection came about, so nothing was started."""

    def __init__(self) -> None:
        super().__init__(*BUSY, costs_attempt=False)


class Unanswered(Exception):
    """The provider gave no valid answer, so the request may have been carried out.

    The job waits and is looked at again. Nothing is started again because of it.

    Args:
        retry_after: Seconds until the next look; by default longer the older the work is.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Permanent(Exception):
    """The job can never succeed. `code` is one of our error codes; `message` is safe to show."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Unusable(Permanent):
    """An output that we do not store. `cause` is for the log, without prompt, URL or key."""

    def __init__(
        self,
        cause: str,
        code: str = "provider_rejected",
        message: str = "The result is nothing that we can show.",
    ) -> None:
        super().__init__(code, message)
        self.cause = cause


class Rejected(Permanent):
    """The provider itself refused a start, which shows that it is up.

    Another Permanent shows nothing.
    """


class Provider(Protocol):
    charges: bool
    """Whether starting costs money: then the intent is recorded before `start`, and after a start
    whose outcome is unknown `find` is asked before anything is started again.
    """

    def start(self, job: Job) -> Done | Started:
        """Begin the work, or do it.

        Raises:
            Transient: It was not begun, or it failed; another attempt may succeed.
            Unanswered: It may have been begun.
            OutOfService: Nothing of this can be started until an operator acts.
            Rejected: The provider says that it will never succeed.
            Permanent: We refuse without a call. Any other exception is a bug of ours and fails the
                job as `internal`.
        """
        ...

    def find(self, job: Job) -> list[str]:
        """The references of work that this job may have begun at `job.submitted_at`, likeliest
        first.

        An empty list is a promise that there is none that the provider shows by now.

        Raises:
            Unanswered: It cannot be told now.
        """
        ...

    def check(self, job: Job, ref: str) -> Done | Pending:
        """How far the work begun under `ref` is.

        Raises:
            Unanswered: The provider did not say; the work goes on.
            Transient, Permanent: The work failed.
        """
        ...

    def cancel(self, ref: str) -> None:
        """Ask the provider to stop working; may come too late.

        Raises:
            Unanswered: It is to be asked again.
        """
        ...
