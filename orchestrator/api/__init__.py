"""The server: callbacks of chats come in here."""
