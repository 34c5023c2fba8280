"""Which Python tests can notice a change: who imports, starts or reads what, from the sources alone."""
