"""Tells people: drains the outbox into chats."""
