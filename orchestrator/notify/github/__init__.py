"""GitHub in and out: webhooks, comments, check runs, pull requests by API; ``standin`` is a GitHub to test against."""
