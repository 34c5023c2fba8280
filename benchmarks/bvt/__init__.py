"""What benchmarks of the SQL case runner share: the real mo-tester as a peer, scripts run alone, parity, recording."""
