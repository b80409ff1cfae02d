"""Apache Kafka and a MongoDB-wire server without containers, for tests and development: real servers, from Maven, on loopback only."""
