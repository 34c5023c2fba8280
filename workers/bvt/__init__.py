"""The SQL case runner: sessions, execution, comparison, rendering; a program of its own."""

#: How the message begins with which the runner ends (exit 2) when nothing below its path is to run.
NO_SCRIPT = "no script to run in"
