"""MatrixOne's registries: where its sources say which SQL it understands."""
