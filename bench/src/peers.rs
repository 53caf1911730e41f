//! What a user would pick instead, each installed by its own package client and started as its documentation says.

mod address;
mod alembic;
mod dbmate;
mod flyway;
mod golang_migrate;
mod goose;
mod install;
mod java;
mod liquibase;
mod node_pg_migrate;
mod prisma;
mod programs;
mod refinery;
mod sqlx;
mod tern;
#[cfg(test)]
mod tests;
mod texts;

use crate::peer::Peer;

/// All of them, the ones that users of Plimsoll would look at first in front.
pub(crate) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(goose::Goose),
        Box::new(golang_migrate::GolangMigrate),
        Box::new(tern::Tern),
        Box::new(sqlx::Sqlx),
        Box::new(dbmate::Dbmate),
        Box::new(prisma::Prisma),
        Box::new(node_pg_migrate::NodePgMigrate),
        Box::new(refinery::Refinery),
        Box::new(alembic::Alembic),
        Box::new(flyway::Flyway),
        Box::new(liquibase::Liquibase),
    ]
}
