"""The grader's own forks skip what libraries do around a fork; a fork by the student's code does not."""

from tests.grader.grading_desk import Desk

DRAWS = """
def double(x):
    import os, random
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, str(random.random()).encode())
        os._exit(0)
    os.wait()
    return x * 2 if float(os.read(read, 100)) != random.random() else x
"""
LOGS = """
import logging, multiprocessing
def double(x):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(logging.warning, ["one", "two"])
    return x * 2
"""


def test_a_forked_child_of_the_students_draws_other_random_numbers(desk: Desk) -> None:
    assert desk.grade(double=DRAWS).score == 10


def test_a_pool_of_processes_works_inside_a_check(desk: Desk) -> None:
    assert desk.grade(double=LOGS).score == 10
