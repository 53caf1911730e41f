//! Where the schema is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};

use crate::config::Config;
use crate::display::{absolute, directory_of, shown};
use crate::package::Package;
use crate::schema::Source;
use crate::{Request, unreadable};

/// Deeper than anybody sorts a schema into folders.
const DEPTH: usize = 32;

/// Where a schema was found: a file, or a folder of them.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// What said so.
    pub(crate) by: By,
}

/// What named the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Flag,
    Config,
    Package,
    Default,
}

/// Finds the schema: the flag, the config, `package.json`, then `schema.prisma` and `prisma/schema.prisma`.
///
/// Prisma 7 does not look into `package.json`, and starts from the directory of the config. Which Prisma a project has
/// is not known before its schema is read, so with a config that has no `engine` the default places come first.
pub(crate) fn schema(
    request: &Request,
    config: Option<&Config>,
    package: Option<&Package>,
) -> Result<Found, Diagnostic> {
    let cwd = &request.cwd;
    if let Some(flag) = &request.schema {
        return named_by_flag(cwd, flag);
    }
    if let Some(found) = config.map(|config| named_by_config(cwd, config)).transpose()?.flatten() {
        return Ok(found);
    }
    let mut tried = Vec::new();
    let mut candidates = defaults(cwd, config);
    if let Some(path) = package.and_then(|package| package.schema.clone()) {
        let seven = config.is_some_and(|config| config.engine.is_none());
        let at = if seven { candidates.len() } else { 0 };
        candidates.insert(at, (path, By::Package));
    }
    for (path, by) in candidates {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() || by == By::Package => return Ok(Found { path, by }),
            Ok(_) => tried.push(format!("{}: is not a file", shown(cwd, &path))),
            Err(error) if by == By::Package => return Err(named_by_package(cwd, &path, &error)),
            Err(_) => tried.push(format!("{}: file not found", shown(cwd, &path))),
        }
    }
    Err(not_found(cwd, config, package, &tried))
}

fn named_by_flag(cwd: &Path, flag: &Path) -> Result<Found, Diagnostic> {
    let path = absolute(cwd, flag);
    if path.exists() {
        return Ok(Found { path, by: By::Flag });
    }
    let shown = shown(cwd, &path);
    let message =
        format!("Could not load `--schema` from provided path `{shown}`: file or directory not found");
    Err(Diagnostic::new(Code::SchemaNotFound, message)
        .help(format!("The path is relative to the working directory, {}.", cwd.display()))
        .help("In an image: check what `COPY` and `.dockerignore` leave out."))
}

fn named_by_config(cwd: &Path, config: &Config) -> Result<Option<Found>, Diagnostic> {
    let Some(setting) = config.schema.clone()? else { return Ok(None) };
    let path = absolute(&config.directory, Path::new(&setting.value));
    if path.exists() {
        return Ok(Some(Found { path, by: By::Config }));
    }
    let message = format!(
        "Could not load schema from `{}` provided by the Prisma config file: file or directory not found",
        shown(cwd, &path),
    );
    Err(Diagnostic::new(Code::SchemaNotFound, message)
        .at(setting.place)
        .help(format!("The path is relative to the config, in {}.", config.directory.display()))
        .help("Correct it, or give the schema as `--schema` (PLIMSOLL_SCHEMA)."))
}

fn named_by_package(cwd: &Path, path: &Path, error: &std::io::Error) -> Diagnostic {
    let shown = shown(cwd, path);
    let message =
        format!("Could not load schema from `{shown}`, which `prisma.schema` of package.json names: {error}");
    Diagnostic::new(Code::SchemaNotFound, message)
        .help("Correct it, or give the schema as `--schema` (PLIMSOLL_SCHEMA).")
}

fn defaults(cwd: &Path, config: Option<&Config>) -> Vec<(PathBuf, By)> {
    let mut bases: Vec<&Path> = config.map(|config| config.directory.as_path()).into_iter().collect();
    if !bases.contains(&cwd) {
        bases.push(cwd);
    }
    let places = |base: &&Path| {
        [base.join("schema.prisma"), base.join("prisma").join("schema.prisma")]
            .map(|path| (path, By::Default))
    };
    bases.iter().flat_map(places).collect()
}

fn not_found(cwd: &Path, config: Option<&Config>, package: Option<&Package>, tried: &[String]) -> Diagnostic {
    let message = "Could not find Prisma Schema that is required for this command.";
    let mut diagnostic = Diagnostic::new(Code::SchemaNotFound, message);
    for place in tried {
        diagnostic = diagnostic.help(place);
    }
    diagnostic = match config {
        Some(config) => diagnostic.help(format!("{}: has no `schema`", config.shown)),
        None => diagnostic.help(format!("prisma.config.*: not found in {}", cwd.display())),
    };
    diagnostic = match package {
        Some(package) => {
            let file = shown(cwd, &package.directory.join("package.json"));
            diagnostic.help(format!("{file}: has no `prisma.schema`"))
        }
        None => diagnostic.help("package.json: not found in this directory or above it"),
    };
    diagnostic
        .help("Say where it is with `--schema` (PLIMSOLL_SCHEMA), or start plimsoll in the directory of the project.")
}

/// Reads the file, or every `*.prisma` file in and below the folder, links followed.
pub(crate) fn sources(path: &Path, cwd: &Path) -> Result<Vec<Source>, Diagnostic> {
    if !path.is_dir() {
        return Ok(vec![source(path, cwd)?]);
    }
    let mut files = BTreeSet::new();
    collect(path, &mut files, &mut BTreeSet::new(), DEPTH)?;
    if files.is_empty() {
        let message = format!("there is no `.prisma` file in {} or below it", shown(cwd, path));
        return Err(Diagnostic::new(Code::SchemaNotFound, message)
            .help("Name the file or the folder of the schema with `--schema` (PLIMSOLL_SCHEMA)."));
    }
    files.iter().map(|file| source(file, cwd)).collect()
}

fn source(path: &Path, cwd: &Path) -> Result<Source, Diagnostic> {
    let bytes = crate::file::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Source { shown: shown(cwd, path), directory: directory_of(path), text })
}

/// Collects the files of a folder. Each real directory and file is read once: links may make circles, and in a mounted
/// `ConfigMap` every file is there twice.
fn collect(
    directory: &Path,
    files: &mut BTreeSet<PathBuf>,
    seen: &mut BTreeSet<PathBuf>,
    depth: usize,
) -> Result<(), Diagnostic> {
    let real = fs::canonicalize(directory).map_err(|error| unreadable(directory, &error))?;
    if depth == 0 || !seen.insert(real) {
        return Ok(());
    }
    for entry in fs::read_dir(directory).map_err(|error| unreadable(directory, &error))? {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let path = entry.path();
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() && !entry.file_name().as_encoded_bytes().starts_with(b"..") {
            collect(&path, files, seen, depth - 1)?;
        } else if metadata.is_file() && path.extension().is_some_and(|extension| extension == "prisma") {
            let real = fs::canonicalize(&path).map_err(|error| unreadable(&path, &error))?;
            if seen.insert(real) {
                files.insert(path);
            }
        }
    }
    Ok(())
}
