//! The kinds of database that a Prisma schema can name.

use std::fmt;

/// The `provider` of a datasource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// `postgresql` or `postgres`.
    Postgresql,
    /// `mysql`, which also stands for MariaDB.
    Mysql,
    /// `sqlite`.
    Sqlite,
    /// `cockroachdb`.
    Cockroachdb,
    /// `sqlserver`.
    Sqlserver,
    /// `mongodb`, which has no SQL migrations.
    Mongodb,
}

impl Provider {
    /// The provider that a schema names, if Prisma knows it.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "postgresql" | "postgres" => Self::Postgresql,
            "mysql" => Self::Mysql,
            "sqlite" => Self::Sqlite,
            "cockroachdb" => Self::Cockroachdb,
            "sqlserver" => Self::Sqlserver,
            "mongodb" => Self::Mongodb,
            _ => return None,
        })
    }

    /// The word that `migration_lock.toml` holds for this provider.
    pub fn lock_name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
            Self::Cockroachdb => "cockroachdb",
            Self::Sqlserver => "mssql",
            Self::Mongodb => "mongodb",
        }
    }

    /// The name that people use, as Prisma prints it in its `Datasource` line.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Postgresql => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Sqlite => "SQLite",
            Self::Cockroachdb => "CockroachDB",
            Self::Sqlserver => "SQL Server",
            Self::Mongodb => "MongoDB",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display_name())
    }
}
