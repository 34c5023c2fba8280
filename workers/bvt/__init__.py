"""The SQL case runner: sessions, execution, comparison, rendering; a program of its own."""
