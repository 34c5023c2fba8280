"""The REST API: words of HTTP become calls of the service, and nothing else happens here."""
