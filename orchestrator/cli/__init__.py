"""The command line: the edge for people, and the only room of the control plane that may import workers."""
