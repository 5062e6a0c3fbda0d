"""read_gallery: one page, the unfinished jobs and the requested ids, as of one moment."""

import uuid
from uuid import UUID

from tests.support.actors import User, refused
from tests.support.all_actors import Actors

PAGE = 36

ENDED = """
insert into public.generations
  (id, user_id, model_id, input, status, error_code, error_message, requested_at, created_at)
select md5(%(user_id)s || n)::uuid, %(user_id)s::uuid, 'preview', jsonb_build_object('prompt', n), 'failed',
  'timed_out', 'This took too long.', now(), now() - make_interval(secs => n / 3)
from generate_series(1, %(count)s) n
"""


def give(actors: Actors, user: User, count: int) -> None:
    actors.operator.conn.execute(ENDED, {"user_id": str(user.id), "count": count})


def ids_of(jobs: list[dict[str, object]]) -> list[UUID]:
    return [UUID(str(job["id"])) for job in jobs]


def test_a_gallery_has_what_ended_what_is_under_way_and_what_was_asked_for(
    actors: Actors, user: User
) -> None:
    ended, gone, running = actors.job(user, "failed")[0], actors.job(user, "failed")[0], user.job()
    theirs = actors.user().job()
    user.delete_generation(gone)
    answer = user.gallery(ids=[ended, running, theirs, uuid.uuid4()])
    assert ids_of(answer["page"]) == [ended]
    assert ids_of(answer["unfinished"]) == [running]
    assert set(ids_of(answer["asked"])) == {ended, running}
    assert answer["cursor"] is None
    assert answer["page"][0]["generation"]["error"]["code"] == "internal"


def test_pages_meet_without_a_gap_or_an_overlap_even_among_equal_times(actors: Actors, user: User) -> None:
    give(actors, user, 2 * PAGE + 5)
    give(actors, actors.user(), 5)
    seen: list[UUID] = []
    sizes, cursor = [], None
    while True:
        answer = user.gallery(cursor)
        seen += ids_of(answer["page"])
        sizes.append(len(answer["page"]))
        if (cursor := answer["cursor"]) is None:
            break
    rows = actors.operator.rows(
        "select id from public.generations where user_id = %s order by created_at desc, id", user.id
    )
    assert seen == [row["id"] for row in rows]
    assert sizes == [PAGE, PAGE, 5]


def test_a_full_last_page_has_no_cursor(actors: Actors, user: User) -> None:
    give(actors, user, PAGE)
    answer = user.gallery()
    assert (len(answer["page"]), answer["cursor"]) == (PAGE, None)


def test_an_empty_gallery(user: User) -> None:
    assert user.gallery() == {"page": [], "cursor": None, "unfinished": [], "asked": []}


def test_a_gallery_answers_for_at_most_50_ids(user: User) -> None:
    with refused(400, "invalid_request"):
        user.gallery(ids=[uuid.uuid4() for _ in range(51)])
