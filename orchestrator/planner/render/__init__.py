"""Plans for people: text for a terminal, Markdown for a comment, explanations. Untrusted names are neutralised."""
