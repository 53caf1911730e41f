//! A project and its database, opened from the arguments.

use std::collections::BTreeMap;

use plimsoll_core::url::DatabaseUrl;
use plimsoll_core::{Code, Diagnostic, Secret};
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Postgres, Sqlite, Work};
use plimsoll_project::{Project, Request};

use crate::args::Common;
use crate::identity::Identity;

/// A project and where its database is.
pub(crate) struct Opened {
    pub(crate) project: Project,
    pub(crate) url: DatabaseUrl,
}

/// A database of one of the kinds.
pub(crate) enum Database {
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
}

/// Does the same with a database of any kind.
macro_rules! with_backend {
    ($database:expr, $backend:ident => $body:expr) => {
        match $database {
            $crate::database::Database::Postgres($backend) => {
                let $backend = $backend.as_ref();
                $body
            }
            $crate::database::Database::Sqlite($backend) => $body,
        }
    };
}
pub(crate) use with_backend;

/// What a command does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

impl Opened {
    /// Finds and reads the project.
    pub(crate) fn new(common: &Common) -> Result<Self, Diagnostic> {
        let cwd = std::env::current_dir().map_err(|error| {
            Diagnostic::new(Code::FileUnreadable, format!("the working directory is gone: {error}"))
        })?;
        // A variable that is not UTF-8 cannot be a URL, and is nobody's business here.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let project = plimsoll_project::read(&Request {
            cwd,
            environment,
            schema: common.schema.clone(),
            config: common.config.clone(),
            migrations: common.migrations.clone(),
            url: common.url.clone().map(Secret::new),
        })?;
        let source = &project.datasource;
        let url =
            DatabaseUrl::parse(source.provider, &source.url, &source.base).map_err(|error| match &source
                .url_place
            {
                Some(place) => error.at(place.clone()),
                None => error,
            })?;
        Ok(Self { project, url })
    }

    /// The database, ready to be connected to.
    pub(crate) fn database(&self, intent: Intent) -> Result<Database, Diagnostic> {
        let runner = Identity::of_this_process().to_string();
        let source = &self.project.datasource;
        Ok(match &self.url {
            DatabaseUrl::Postgres(url) => {
                let scope = Scope {
                    schemas: source.schemas.clone(),
                    external_tables: source.external_tables.clone(),
                };
                Database::Postgres(Box::new(Postgres::new((**url).clone(), &runner, scope)?))
            }
            DatabaseUrl::Sqlite(url) => {
                let database = Sqlite::new(url.clone(), &runner, source.external_tables.clone());
                Database::Sqlite(if intent == Intent::Read { database.only_reading() } else { database })
            }
        })
    }

    /// What a run works on.
    pub(crate) fn work(&self) -> Work<'_> {
        Work { migrations: &self.project.migrations, provider: self.project.datasource.provider }
    }
}
