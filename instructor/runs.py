"""Running the submissions of a class: one after the other, several at a time, or on a dask cluster's workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from instructor.handed_in import code_cells
from instructor.submission import Limits, Outcome, Question, run


class Job(NamedTuple):
    """A submission that is to be run: the restored notebook of a student, and what its marks depend on."""

    student: str
    digest: str
    notebook: Any


def check_workers(workers: str) -> None:
    """``ValueError`` unless ``workers`` is empty, a number, or an address."""
    if workers and not workers.isdigit() and "://" not in workers:
        raise ValueError(f"workers are a number or the address of a dask scheduler, tcp://…, and not {workers!r}")


def run_all(
    jobs: Sequence[Job], asked: Sequence[Question], limits: Limits, trusted: bool, workers: str
) -> Iterator[tuple[Job, Outcome | BaseException]]:
    """The outcome of each job as it comes, or what went wrong with running it here."""
    if not workers:
        for job in jobs:
            try:
                yield job, run(code_cells(job.notebook), asked, limits, trusted)
            except Exception as error:
                yield job, error
        return
    from distributed import Client, LocalCluster, as_completed

    cluster: Any = workers
    if workers.isdigit():  # threads will do: all that a worker does itself is wait for the jail
        cluster = LocalCluster(n_workers=1, threads_per_worker=int(workers), processes=False, dashboard_address=None)
    with Client(cluster) as client:
        running = {
            client.submit(run, code_cells(job.notebook), asked, limits, trusted, pure=False): job for job in jobs
        }
        for future in as_completed(running):
            yield running[future], future.exception() or future.result()
