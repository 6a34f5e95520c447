//! Local accounts for Dex: the gRPC password connector over PostgreSQL.
