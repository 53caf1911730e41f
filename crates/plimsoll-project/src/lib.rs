//! Finds and reads an ordinary Prisma project on disk, of Prisma 6 or 7.
//!
//! The working directory and the environment come in as arguments. What is found goes out as one [`Project`]; what is
//! missing or wrong as a [`Diagnostic`] with the place and the flag that replaces it. Nothing of the project is run:
//! `prisma.config.ts` is read as a text.

mod config;
mod display;
mod dotenv;
mod env_files;
mod environment;
mod file;
mod find;
mod migrations;
mod package;
mod schema;
#[cfg(test)]
mod testing;
mod url;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic, Migrations, Place, Provider, Secret};

use config::Config;
use display::{absolute, directory_of, shown};
use environment::Environment;
use find::By;
use package::Package;
use schema::Schema;

/// What to read. The flags of the command line win over everything that the project says.
///
/// There is no `Debug`: the environment can hold passwords.
#[derive(Clone)]
pub struct Request {
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// `--schema`: a file or a folder, relative to `cwd`.
    pub schema: Option<PathBuf>,
    /// `--config`: a file, relative to `cwd`.
    pub config: Option<PathBuf>,
    /// `--migrations`: a directory, relative to `cwd`.
    pub migrations: Option<PathBuf>,
    /// `--url`: if given, no other URL is looked at, and no `.env` file of Prisma 6 is loaded.
    pub url: Option<Secret>,
}

impl Request {
    /// A request without flags.
    pub fn new(cwd: impl Into<PathBuf>, environment: BTreeMap<String, String>) -> Self {
        Self { cwd: cwd.into(), environment, schema: None, config: None, migrations: None, url: None }
    }
}

/// A project as found on disk.
#[derive(Clone, Debug)]
pub struct Project {
    /// The schema file or folder as shown to people: relative to the working directory when it is below it.
    pub schema: String,
    /// The Prisma config, shown in the same way.
    pub config: Option<String>,
    /// The `.env` files that were loaded, shown in the same way.
    pub dotenv: Vec<String>,
    /// Warnings for people.
    pub notes: Vec<String>,
    /// Whose rules and phrases apply.
    pub generation: Generation,
    /// The database that the project is for.
    pub datasource: Datasource,
    /// The migrations in the order in which they are applied.
    pub migrations: Migrations,
    /// Where the migrations are, absolute; it need not exist.
    pub migrations_directory: PathBuf,
}

/// The major version of Prisma that a project is written for.
///
/// The rule, which nothing else in this crate repeats: a project is [`Seven`](Self::Seven) if its schema has neither
/// `url` nor `directUrl` (Prisma 7 refuses them, Prisma 6 without a config needs `url`), and its config, if there is
/// one, has no `engine` (which only Prisma 6 knows). All others are [`Six`](Self::Six).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Prisma 6 and older.
    Six,
    /// Prisma 7.
    Seven,
}

impl Generation {
    fn of(schema: &Schema, config: Option<&Config>) -> Self {
        let schema_has_url = schema.url.is_some() || schema.direct_url.is_some();
        let has_engine = config.is_some_and(|config| config.engine.is_some());
        if schema_has_url || has_engine { Self::Six } else { Self::Seven }
    }
}

/// The database that a project is for.
#[derive(Clone, Debug)]
pub struct Datasource {
    /// The name of the datasource block, usually `db`.
    pub name: String,
    /// The kind of database.
    pub provider: Provider,
    /// The connection URL for migrations, not empty. It has not been looked into.
    pub url: Secret,
    /// Where the URL was read from; nothing if it came from the command line. The text shows no URL.
    pub url_place: Option<Place>,
    /// What relative paths of database files and certificates in the URL are relative to, absolute.
    pub base: PathBuf,
    /// `schemas` of the datasource block.
    pub schemas: Vec<String>,
    /// `tables.external` of the config: tables that do not make a database non-empty.
    pub external_tables: Vec<String>,
}

/// Finds and reads the project that `request` is about.
pub fn read(request: &Request) -> Result<Project, Diagnostic> {
    let unread = find(request)?;
    let migrations = unread.migrations().read()?;
    Ok(unread.with(migrations))
}

/// A project whose migrations have not been read yet.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Without migrations.
    project: Project,
    cwd: PathBuf,
}

impl Unread {
    /// The database that it is for.
    pub fn datasource(&self) -> &Datasource {
        &self.project.datasource
    }

    /// Where its migrations are.
    pub fn migrations(&self) -> MigrationsDirectory {
        MigrationsDirectory { path: self.project.migrations_directory.clone(), cwd: self.cwd.clone() }
    }

    /// The project with what was read there.
    pub fn with(self, migrations: Migrations) -> Project {
        Project { migrations, ..self.project }
    }
}

/// Where the migrations of a project are.
#[derive(Clone, Debug)]
pub struct MigrationsDirectory {
    path: PathBuf,
    cwd: PathBuf,
}

impl MigrationsDirectory {
    /// Reads them. None are there if the directory is not.
    pub fn read(&self) -> Result<Migrations, Diagnostic> {
        migrations::read(&self.path, &self.cwd)
    }
}

/// Finds the project that `request` is about, and reads everything but its migrations.
pub fn find(request: &Request) -> Result<Unread, Diagnostic> {
    let cwd = &request.cwd;
    let mut environment = Environment::new(request.environment.clone());
    let mut config = None;
    if let Some(path) = config::find::find(cwd, request.config.as_deref())? {
        let read = config::read(&path, cwd, environment)?;
        config = Some(read.0);
        environment = read.1;
    }
    let config = config.as_ref();
    let package = package::find(cwd);
    let found = find::schema(request, config, package.as_ref())?;
    let schema = schema::read(&find::sources(&found.path, cwd)?, &shown(cwd, &found.path))?;
    let generation = Generation::of(&schema, config);
    let dotenv = load_env(request, config, generation, package.as_ref(), &mut environment)?;
    let mut notes = notes(config, &found, &schema, request);
    let datasource = datasource(request, config, &schema, generation, &environment, &mut notes)?;
    let migrations_directory = migrations_directory(request, config, &found, &schema, generation)?;
    let project = Project {
        schema: shown(cwd, &found.path),
        config: config.map(|config| config.shown.clone()),
        dotenv,
        notes,
        generation,
        datasource,
        migrations: Migrations::default(),
        migrations_directory,
    };
    Ok(Unread { project, cwd: cwd.clone() })
}

/// The scripts of the `package.json` in a directory, by name; none if there is no such file, or it cannot be understood.
pub fn scripts(directory: &Path) -> BTreeMap<String, String> {
    package::scripts(directory)
}

/// The variables that the schema of a project takes its URLs from, in the order `directUrl`, `url`.
///
/// A schema without `env("NAME")`, as Prisma 7 wants it, names none. No variable is read.
pub fn url_variables(request: &Request) -> Result<Vec<String>, Diagnostic> {
    let cwd = &request.cwd;
    let package = package::find(cwd);
    let found = find::schema(request, None, package.as_ref())?;
    let schema = schema::read(&find::sources(&found.path, cwd)?, &shown(cwd, &found.path))?;
    Ok([&schema.direct_url, &schema.url]
        .into_iter()
        .flatten()
        .filter_map(url::variable)
        .map(str::to_owned)
        .collect())
}

/// Prisma 6 loads `.env` files by itself unless there is a config; Prisma 7 never does, but its config may.
fn load_env(
    request: &Request,
    config: Option<&Config>,
    generation: Generation,
    package: Option<&Package>,
    environment: &mut Environment,
) -> Result<Vec<String>, Diagnostic> {
    match config {
        Some(config) => Ok(config.dotenv.iter().map(|file| shown(&request.cwd, file)).collect()),
        None if generation == Generation::Seven || request.url.is_some() => Ok(Vec::new()),
        None => env_files::load(request, package, environment),
    }
}

fn datasource(
    request: &Request,
    config: Option<&Config>,
    schema: &Schema,
    generation: Generation,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<Datasource, Diagnostic> {
    let (url, url_place) = url::choose(request, config, schema, environment)?;
    let external = config.map(|config| config.external_tables.clone()).transpose()?;
    notes.extend(external.as_ref().and_then(|external| external.note.clone()));
    let base = match (generation, config) {
        (Generation::Six, _) => schema.directory.clone(),
        (Generation::Seven, Some(config)) => config.directory.clone(),
        (Generation::Seven, None) => request.cwd.clone(),
    };
    Ok(Datasource {
        name: schema.name.clone(),
        provider: schema.provider,
        url,
        url_place,
        base,
        schemas: schema.schemas.clone(),
        external_tables: external.map_or_else(Vec::new, |external| external.texts),
    })
}

fn migrations_directory(
    request: &Request,
    config: Option<&Config>,
    found: &find::Found,
    schema: &Schema,
    generation: Generation,
) -> Result<PathBuf, Diagnostic> {
    if let Some(flag) = &request.migrations {
        let path = absolute(&request.cwd, flag);
        return if path.exists() { Ok(path) } else { Err(no_migrations(&shown(&request.cwd, &path))) };
    }
    if let Some(config) = config
        && let Some(setting) = config.migrations.clone()?
    {
        return Ok(absolute(&config.directory, Path::new(&setting.value)));
    }
    let beside = match generation {
        Generation::Six => schema.directory.clone(),
        Generation::Seven if found.path.is_dir() => found.path.clone(),
        Generation::Seven => directory_of(&found.path),
    };
    Ok(beside.join("migrations"))
}

/// A directory that nobody named may be missing; one that was named for this run may not: it would look as if there were
/// nothing to apply.
fn no_migrations(shown: &str) -> Diagnostic {
    let message = format!("Could not load `--migrations` from provided path `{shown}`: directory not found");
    Diagnostic::new(Code::FileUnreadable, message)
        .help("In an image: check what `COPY` and `.dockerignore` leave out.")
}

fn notes(config: Option<&Config>, found: &find::Found, schema: &Schema, request: &Request) -> Vec<String> {
    let mut notes = Vec::new();
    if found.by == By::Package {
        notes.push(
            "The configuration property `package.json#prisma` is deprecated: Prisma 7 does not read it. Write a \
             Prisma config file (e.g., `prisma.config.ts`), or use `--schema`."
                .to_owned(),
        );
    }
    let schema_has_url = schema.url.is_some() || schema.direct_url.is_some();
    let config_url = config.filter(|config| config.engine.is_none() && matches!(config.url, Ok(Some(_))));
    if let Some(config) = config_url.filter(|_| schema_has_url && request.url.is_none()) {
        notes.push(format!(
            "Both {} and the schema have a URL: the one of the config is used. Prisma 7 refuses a schema with a URL.",
            config.shown
        ));
    }
    notes
}

/// A file or directory that is there, but cannot be read.
fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::FileUnreadable, format!("cannot read {}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::PermissionDenied => diagnostic.help(
            "Check its owner and mode, and the user that this container runs as (`runAsUser`, `fsGroup`).",
        ),
        _ => diagnostic,
    }
}
