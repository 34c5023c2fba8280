"""What the campaigns about control share: a project to test, hosts to kill, a judge."""
