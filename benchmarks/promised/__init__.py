"""The promises by room: one module an area, each with its list ``PROMISES``."""
