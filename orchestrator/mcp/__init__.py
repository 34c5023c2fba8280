"""The MCP server: what agents may ask and order, over the one service."""
