//! What only PostgreSQL has: ways to log in, TLS, schemas, scripts that want no transaction.

mod again;
mod connecting;
mod doubts;
mod encodings;
mod errors;
mod leftovers;
mod pipeline;
mod places;
mod poolers;
mod promises;
mod quiet;
mod resume;
mod scripts;
mod segments;
mod settings;
mod together;
