"""SQL as a tester reads it: words, literals by class, names by role, statements as shapes and trees."""
