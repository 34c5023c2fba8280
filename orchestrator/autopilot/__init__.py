"""The loop that takes a pull request from its plan to a verdict without a person."""
