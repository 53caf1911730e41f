//! What is said about a project and its database before anything is done.

use plimsoll_core::Provider;
use plimsoll_core::url::DatabaseUrl;
use plimsoll_project::Generation;

use crate::database::Opened;

/// What is said about a project and its database.
pub(super) struct Introduction {
    pub(super) generation: Generation,
    pub(super) schema: String,
    pub(super) config: Option<String>,
    pub(super) dotenv: Vec<String>,
    pub(super) source: String,
    pub(super) provider: Provider,
    pub(super) database: String,
    pub(super) address: String,
    pub(super) schemas: Vec<String>,
    pub(super) found: usize,
}

impl Introduction {
    pub(super) fn new(opened: &Opened) -> Self {
        let project = &opened.project;
        let schemas = match &opened.url {
            DatabaseUrl::Postgres(url) if project.datasource.schemas.is_empty() => {
                vec![url.schema.clone().unwrap_or_else(|| "public".to_owned())]
            }
            DatabaseUrl::Postgres(_) => project.datasource.schemas.clone(),
            DatabaseUrl::Mysql(_) | DatabaseUrl::Sqlite(_) => Vec::new(),
        };
        Self {
            generation: project.generation,
            schema: project.schema.clone(),
            config: project.config.clone(),
            dotenv: project.dotenv.clone(),
            source: project.datasource.name.clone(),
            provider: project.datasource.provider,
            database: opened.url.database().to_owned(),
            address: opened.url.address(),
            schemas,
            found: project.migrations.list().len(),
        }
    }
}
