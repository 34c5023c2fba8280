"""Commands people write in a chat: understood, permitted, confirmed, done, remembered."""
