"""The nouns: change, plan, run, errors. Frozen, slotted dataclasses; nothing here does I/O."""
