"""The actors of one test after another, on connections that are used again."""

from uuid import UUID

from tests.support.actors import Actor, BridgeRole, Operator, Service, SomeActor, User, WorkerRole


class Actors:
    """The actors of one test after another.

    One of each kind has a name; each connects when it is first needed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.known: list[Actor] = []
        self.forget_names()

    def forget_names(self) -> None:
        self.names: dict[type[Actor], Actor] = {}
        self.free = [actor for actor in self.known if not actor.conn.closed]
        for actor in self.free:
            actor.conn.rollback()

    def named(self, kind: type[SomeActor]) -> SomeActor:
        """The one of its kind, in this test."""
        if kind not in self.names:
            self.names[kind] = self.another(kind)
        actor = self.names[kind]
        assert isinstance(actor, kind)
        return actor

    @property
    def operator(self) -> Operator:
        return self.named(Operator)

    @property
    def bridge(self) -> BridgeRole:
        return self.named(BridgeRole)

    @property
    def worker(self) -> WorkerRole:
        return self.named(WorkerRole)

    @property
    def service(self) -> Service:
        return self.named(Service)

    def reset(self) -> None:
        """An empty stage: no user and nothing of theirs, the numbers as migrated."""
        self.forget_names()
        for kind in (Operator, BridgeRole, WorkerRole, Service):
            self.named(kind)  # before the threads of a race ask for them
        self.operator.reset()

    def end(self) -> None:
        for actor in self.known:
            actor.conn.close()

    def another(self, kind: type[SomeActor]) -> SomeActor:
        for actor in self.free:
            if isinstance(actor, kind):
                self.free.remove(actor)
                return actor
        self.known.append(actor := kind(self.url))
        return actor

    def user(self, *, credits: int = 100, is_paid: bool = False, is_anonymous: bool = False) -> User:
        user_id = self.operator.add_user(credits=credits, is_paid=is_paid, is_anonymous=is_anonymous)
        return self.session(user_id, is_anonymous=is_anonymous)

    def session(self, user_id: UUID, *, is_anonymous: bool = False) -> User:
        """One more connection of a user."""
        user = self.another(User)
        user.sign_in(user_id, is_anonymous=is_anonymous)
        return user

    def job(self, user: User, status: str) -> tuple[UUID, int]:
        """A job brought to `status` the way it goes in production, with the fence of its last
        claim.
        """
        job_id = user.job()
        if status in ("queued", "canceled"):
            if status == "canceled":
                user.cancel(job_id)
            return job_id, 0
        fence = self.worker.claimed(job_id)
        match status:
            case "waiting":
                assert self.worker.wait(job_id, fence, f"ref-{job_id}")
            case "succeeded":
                assert self.worker.complete(job_id, fence)
            case "failed":
                assert self.worker.fail(job_id, fence)
        return job_id, fence
