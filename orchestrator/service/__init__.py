"""What can be asked of this program and told it, whoever asks: REST, MCP, GitHub, chats and the autopilot share it."""
