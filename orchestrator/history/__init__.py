"""What the past says: which cases and unit tests moved with which files, functions and words, and the model of it."""
