//! The `.env` files that Prisma 6 loads by itself, in projects without a Prisma config.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_core::{Code, Diagnostic};

use crate::Request;
use crate::display::{absolute, directory_of, shown};
use crate::dotenv;
use crate::environment::Environment;
use crate::package::Package;

struct File {
    path: PathBuf,
    assignments: BTreeMap<String, String>,
}

/// Loads the `.env` beside the nearest `package.json`, then the one of the schema, and says which there were.
///
/// The environment wins over both, and the first over the second. A variable that stands in both with the same value is
/// an error, as it is in Prisma: it takes the two files for copies of each other.
pub(crate) fn load(
    request: &Request,
    package: Option<&Package>,
    environment: &mut Environment,
) -> Result<Vec<String>, Diagnostic> {
    let root = package.and_then(|package| File::read(package.directory.join(".env")));
    let schema = schema_places(request).into_iter().find_map(File::read);
    let schema = schema.filter(|file| root.as_ref().is_none_or(|root| root.path != file.path));
    if let (Some(root), Some(schema)) = (&root, &schema) {
        refuse_conflict(root, schema, &request.cwd)?;
    }
    let mut loaded = Vec::new();
    for file in root.iter().chain(&schema) {
        for (name, value) in dotenv::expand(&file.assignments, environment) {
            environment.add(&name, &value);
        }
        loaded.push(shown(&request.cwd, &file.path));
    }
    Ok(loaded)
}

/// The first that exists counts: beside `--schema`, then `prisma/.env`, then `.env`.
fn schema_places(request: &Request) -> Vec<PathBuf> {
    let beside = request.schema.as_ref().map(|schema| directory_of(&absolute(&request.cwd, schema)));
    let places = [Some(request.cwd.join("prisma")), Some(request.cwd.clone())];
    [beside].into_iter().chain(places).flatten().map(|directory| directory.join(".env")).collect()
}

impl File {
    /// One that is not there, or cannot be read, is left out: so does Prisma, and a directory may have that name.
    fn read(path: PathBuf) -> Option<Self> {
        let bytes = crate::file::read(&path).ok()?;
        Some(Self { path, assignments: dotenv::parse(&String::from_utf8_lossy(&bytes)) })
    }
}

fn refuse_conflict(root: &File, schema: &File, cwd: &Path) -> Result<(), Diagnostic> {
    let same = |(name, value): &(&String, &String)| root.assignments.get(*name) == Some(*value);
    let names: Vec<_> = schema.assignments.iter().filter(same).map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let (root, schema) = (shown(cwd, &root.path), shown(cwd, &schema.path));
    let message = format!("There is a conflict between env var in {root} and {schema}: {}", names.join(", "));
    Err(Diagnostic::new(Code::DotenvConflict, message)
        .help(format!("Move what is in {schema} to {root}, and delete {schema}."))
        .help("Or give `--url` (PLIMSOLL_URL): then no `.env` file is read."))
}
