//! A project and its database, opened from the arguments.

use std::collections::BTreeMap;

use plimsoll_core::url::DatabaseUrl;
use plimsoll_core::{Code, Diagnostic, Migrations, Secret};
use plimsoll_engine::postgres::Scope;
use plimsoll_engine::{Mysql, Postgres, Sqlite, Work};
use plimsoll_project::{Datasource, MigrationsDirectory, Project, Request};

use crate::args::Common;
use crate::identity::Identity;
use crate::url_file::UrlFile;

/// A project and where its database is.
pub(crate) struct Opened {
    pub(crate) project: Project,
    pub(crate) url: DatabaseUrl,
    /// Where the URL is, if it may change while a command runs.
    url_file: Option<UrlFile>,
}

/// A database of one of the kinds.
pub(crate) enum Database {
    Postgres(Box<Postgres>),
    Mysql(Box<Mysql>),
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
            $crate::database::Database::Mysql($backend) => {
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

/// A project whose migrations have not been read yet, and where its database is.
pub(crate) struct Found {
    project: plimsoll_project::Unread,
    url: Result<DatabaseUrl, Diagnostic>,
    url_file: Option<UrlFile>,
}

impl Found {
    /// Finds the project. `say` gets to know if the file of its URL has to be waited for, and why.
    pub(crate) fn new(common: &Common, say: impl FnOnce(&Diagnostic)) -> Result<Self, Diagnostic> {
        let cwd = std::env::current_dir().map_err(|error| {
            Diagnostic::new(Code::FileUnreadable, format!("the working directory is gone: {error}"))
        })?;
        // A variable that is not UTF-8 cannot be a URL, and is nobody's business here.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let url_file = common.url_file.as_deref().map(UrlFile::new);
        let given = match &url_file {
            Some(file) => Some(file.wait_for(common.wait, say)?),
            None => common.url.clone().map(Secret::new),
        };
        let project = plimsoll_project::find(&Request {
            cwd,
            environment,
            schema: common.schema.clone(),
            config: common.config.clone(),
            migrations: common.migrations.clone(),
            url: given,
        })?;
        let source = project.datasource();
        let place = url_file.as_ref().map(UrlFile::place).or_else(|| source.url_place.clone());
        let url = DatabaseUrl::parse(source.provider, &source.url, &source.base);
        let url = url.map_err(|error| match place {
            Some(place) => error.at(place),
            None => error,
        });
        Ok(Self { project, url, url_file })
    }

    /// Where its migrations are.
    pub(crate) fn migrations(&self) -> MigrationsDirectory {
        self.project.migrations()
    }

    /// The project with what was read there. A URL that cannot be used comes after everything that is wrong with the project.
    pub(crate) fn with(self, migrations: Migrations) -> Result<Opened, Diagnostic> {
        Ok(Opened { project: self.project.with(migrations), url: self.url?, url_file: self.url_file })
    }

    /// The database, ready to be connected to, and to be written to.
    pub(crate) fn database(&self) -> Result<Database, Diagnostic> {
        let url = self.url.as_ref().map_err(Clone::clone)?;
        database(self.project.datasource(), url, self.url_file.as_ref(), Intent::Write)
    }
}

impl Opened {
    /// Finds and reads the project. `say` gets to know if the file of its URL has to be waited for, and why.
    pub(crate) fn new(common: &Common, say: impl FnOnce(&Diagnostic)) -> Result<Self, Diagnostic> {
        let found = Found::new(common, say)?;
        let migrations = found.migrations().read()?;
        found.with(migrations)
    }

    /// Whether the project has no migrations.
    pub(crate) fn is_empty(&self) -> bool {
        self.project.migrations.list().is_empty()
    }

    /// Where its migrations are, or would be: relative to the working directory when that is below it.
    pub(crate) fn migrations_directory(&self) -> String {
        let directory = &self.project.migrations_directory;
        let cwd = std::env::current_dir().unwrap_or_default();
        directory.strip_prefix(&cwd).unwrap_or(directory).display().to_string()
    }

    /// The database, ready to be connected to.
    pub(crate) fn database(&self, intent: Intent) -> Result<Database, Diagnostic> {
        database(&self.project.datasource, &self.url, self.url_file.as_ref(), intent)
    }

    /// What a run works on.
    pub(crate) fn work(&self) -> Work<'_> {
        Work { migrations: &self.project.migrations, provider: self.project.datasource.provider }
    }
}

fn database(
    source: &Datasource,
    url: &DatabaseUrl,
    url_file: Option<&UrlFile>,
    intent: Intent,
) -> Result<Database, Diagnostic> {
    let runner = Identity::of_this_process().to_string();
    Ok(match url {
        DatabaseUrl::Postgres(url) => {
            let scope =
                Scope { schemas: source.schemas.clone(), external_tables: source.external_tables.clone() };
            let database = Postgres::new((**url).clone(), &runner, scope)?;
            Database::Postgres(Box::new(match url_file.cloned() {
                Some(file) => database.reading_its_url(file.source_of_postgres(source.base.clone())),
                None => database,
            }))
        }
        DatabaseUrl::Mysql(url) => {
            let database = Mysql::new((**url).clone(), &runner, source.external_tables.clone())?;
            Database::Mysql(Box::new(match url_file.cloned() {
                Some(file) => database.reading_its_url(file.source_of_mysql(source.base.clone())),
                None => database,
            }))
        }
        DatabaseUrl::Sqlite(url) => {
            let database = Sqlite::new(url.clone(), &runner, source.external_tables.clone());
            Database::Sqlite(if intent == Intent::Read { database.only_reading() } else { database })
        }
    })
}
