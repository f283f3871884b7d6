"""Which processors a jail may run on."""

from grader.sandbox.cores import take_cores

HOST = [9001, 9002, 9003, 9004]  # notes are about numbers, so these need not exist


def test_an_idle_host_gives_a_second_core_and_a_busy_one_does_not() -> None:
    first = take_cores(2, HOST)
    second = take_cores(2, HOST)
    third = take_cores(2, HOST)
    fourth = take_cores(2, HOST)
    try:
        assert len(first.numbers) == 2
        assert len(second.numbers) == len(third.numbers) == 1
        alone = {*first.numbers, *second.numbers, *third.numbers}
        assert len(alone) == 4
        assert len(fourth.numbers) == 1, "when all are taken, one is shared"
    finally:
        for cores in (first, second, third, fourth):
            cores.give_back()


def test_what_is_given_back_can_be_taken_again() -> None:
    for _ in range(3):
        cores = take_cores(1, [9005])
        assert cores.numbers == [9005]
        cores.give_back()
