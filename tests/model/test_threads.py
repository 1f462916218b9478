"""Threads of the libraries: what a block sets ends with it, in whichever thread it runs."""

from threading import Barrier, Thread

from mmmsba_plugin.model.threads import ThreadSetting


class Library:
    """A library whose number of threads belongs to the process."""

    count = 8

    def get(self):
        return self.count

    def set(self, count):
        self.count = count


def test_blocks_within_each_other_put_back_what_they_found():
    library = Library()
    setting = ThreadSetting(library.get, library.set)
    with setting.at(4):
        with setting.at(1):
            assert library.count == 1
        assert library.count == 4
    assert library.count == 8
    library.count = 6
    with setting.at(2):
        assert library.count == 2
    assert library.count == 6


def test_overlapping_blocks_of_two_threads_leave_the_process_what_it_had():
    library = Library()
    setting = ThreadSetting(library.get, library.set)
    both_inside, first_is_out = Barrier(2), Barrier(2)

    def first():
        with setting.at(1):
            both_inside.wait()
        first_is_out.wait()

    def second():
        with setting.at(1):
            both_inside.wait()
            first_is_out.wait()

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert library.count == 8
