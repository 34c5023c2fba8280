"""What a task executes: unit tests, SQL cases, static analysis. One module a suite, behind ``base``."""
