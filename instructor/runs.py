"""Running the submissions of a class: one after the other, several at a time, or on a dask cluster's workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from instructor.handed_in import HandedIn
from instructor.submission import Limits, Outcome, Question, run

AHEAD = 32  # submissions that are read before a worker is free for them


class Job(NamedTuple):
    """A submission that is to be run: a student's, what its marks depend on, and what to ask of it."""

    student: str
    digest: str
    handed_in: HandedIn
    asked: Sequence[Question]


def check_workers(workers: str) -> None:
    """``ValueError`` unless ``workers`` is empty, a number from 1 on, or an address."""
    if workers and "://" not in workers and not (workers.isdecimal() and int(workers)):
        raise ValueError(f"workers are a number or the address of a dask scheduler, tcp://…, and not {workers!r}")


def run_all(
    jobs: Iterable[Job], limits: Limits, trusted: bool, workers: str
) -> Iterator[tuple[Job, Outcome | BaseException]]:
    """The outcome of each job as it comes, or what went wrong here. The next job is made when there is room for it."""
    if not workers:
        for job in jobs:
            try:
                yield job, run(job.handed_in.sources, job.asked, limits, trusted)
            except Exception as error:
                yield job, error
        return
    from distributed import Client, LocalCluster, as_completed

    cluster: Any = workers
    if workers.isdigit():  # threads will do: all that a worker does itself is wait for the jail
        cluster = LocalCluster(n_workers=1, threads_per_worker=int(workers), processes=False, dashboard_address=None)
    with Client(cluster) as client:
        running: dict[Any, Job] = {}

        def start(job: Job) -> Any:
            future = client.submit(run, job.handed_in.sources, job.asked, limits, trusted, pure=False)
            running[future] = job
            return future

        waiting = iter(jobs)
        ended = as_completed([start(job) for job in islice(waiting, AHEAD)])
        for future in ended:
            yield running.pop(future), future.exception() or future.result()
            for job in islice(waiting, 1):
                ended.add(start(job))
