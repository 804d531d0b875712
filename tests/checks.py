"""Checks of Python tests, printed as those of tests/shell/checks.sh are: one line each, at the end "N passed, N failed"."""
import contextlib
import sys
import traceback


class Failed(Exception):
    """What differs."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    @contextlib.contextmanager
    def check(self, name):
        """A block that raises nothing has passed; what it puts into the list that it gets is printed beside the name."""
        notes = []
        try:
            yield notes
        except Failed as failed:
            self.failed += 1
            print(f"FAIL  {name}: {failed}")
        except Exception:
            self.failed += 1
            print(f"FAIL  {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            print(f"ok    {name}{': ' if notes else ''}{', '.join(notes)}")

    def end(self):
        """The exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
