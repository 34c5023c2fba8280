"""This project as its own user: the last change, the run of its plan, and pytest alone on the same tests."""
