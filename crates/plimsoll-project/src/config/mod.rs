//! `prisma.config.*`, read without running it.
//!
//! A config is a TypeScript program; `oxc_parser` parses it, and [`evaluate`] finds the few values that a migration
//! needs in the ways people write them. What it cannot find is an error that names the expression and the flag that
//! replaces it, and only if the value is needed.

mod call;
mod changes;
mod effects;
mod evaluate;
mod field;
pub(crate) mod find;
mod mask;
mod member;
mod scope;
mod value;

use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_parser::config::TokensParserConfig;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;
use plimsoll_core::{Code, Diagnostic, Place};

pub(crate) use field::{Field, Lenient};

use changes::Changes;
use evaluate::Evaluator;
use field::Fields;
use scope::Scope;

use crate::display::{directory_of, shown};
use crate::environment::Environment;

/// No config is longer. It bounds how deep the parser can recurse.
const LENGTH: usize = 64 * 1024;
/// How many brackets may be open at once.
const BRACKETS: usize = 200;
/// What the parser needs for the worst text of that length, with room to spare; only what is used becomes memory.
const STACK: usize = 128 * 1024 * 1024;

const SCHEMA_HELP: &str = "give the schema as `--schema` (PLIMSOLL_SCHEMA)";
const MIGRATIONS_HELP: &str = "give the migrations directory as `--migrations` (PLIMSOLL_MIGRATIONS)";
const URL_HELP: &str = "give the connection URL as `--url` (PLIMSOLL_URL)";

/// What a config says.
pub(crate) struct Config {
    /// As shown to people.
    pub(crate) shown: String,
    /// What paths in it are relative to.
    pub(crate) directory: PathBuf,
    /// `engine`, which only Prisma 6 has; one that cannot be read counts as none.
    pub(crate) engine: Option<String>,
    pub(crate) schema: Field<String>,
    pub(crate) migrations: Field<String>,
    /// `datasource.directUrl` (Prisma 6 only), else `datasource.url`.
    pub(crate) url: Field<String>,
    /// `tables.external`. No flag replaces this list, and without it a database may be refused as not empty, but
    /// nothing worse can happen: so one that cannot be read is taken for empty.
    pub(crate) external_tables: Result<Lenient, Diagnostic>,
    /// The `.env` files that it loaded.
    pub(crate) dotenv: Vec<PathBuf>,
    /// What to say beside a variable that is not set.
    pub(crate) hint: Option<String>,
}

/// Reads a config; the environment comes back with what the config has loaded into it.
pub(crate) fn read(
    path: &Path,
    cwd: &Path,
    environment: Environment,
) -> Result<(Config, Environment), Diagnostic> {
    let bytes = crate::file::read(path).map_err(|error| crate::unreadable(path, &error))?;
    read_text(&String::from_utf8_lossy(&bytes), path, cwd, environment)
}

fn read_text(
    source: &str,
    path: &Path,
    cwd: &Path,
    environment: Environment,
) -> Result<(Config, Environment), Diagnostic> {
    let shown = shown(cwd, path);
    if source.len() > LENGTH || brackets(source) > BRACKETS {
        let message = format!("{shown} is too long, or nested too deeply, to be read.");
        return Err(Diagnostic::new(Code::ConfigUnreadable, message).help(
            "Write a config of its own for deployments, and name it with `--config` (PLIMSOLL_CONFIG).",
        ));
    }
    // The parser recurses: on a stack of its own no text of this length can exhaust it.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("config".to_owned()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, || parse(source, path, &shown, cwd, environment));
        let result = thread.map(std::thread::ScopedJoinHandle::join);
        match result {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Diagnostic::new(Code::Bug, "reading the Prisma config went wrong")),
            Err(error) => Err(Diagnostic::new(Code::Bug, format!("no thread could be started: {error}"))),
        }
    })
}

/// How many brackets are open at most, wherever they stand; strings and comments count, which does no harm.
fn brackets(source: &str) -> usize {
    let mut deepest = 0;
    let mut open = 0_usize;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn parse(
    source: &str,
    path: &Path,
    shown: &str,
    cwd: &Path,
    environment: Environment,
) -> Result<(Config, Environment), Diagnostic> {
    let allocator = Allocator::default();
    let script = path.extension().is_some_and(|extension| extension == "cjs" || extension == "cts");
    let kind = SourceType::ts().with_module(!script).with_script(script);
    let options = ParseOptions { allow_return_outside_function: script, ..ParseOptions::default() };
    let parser = Parser::new(&allocator, source, kind).with_options(options);
    let parsed = parser.with_config(TokensParserConfig).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() {
        return Err(syntax_error(source, shown, &parsed));
    }
    let scope = Scope::of(&parsed.program);
    let changes = Changes::find(source, &parsed.tokens, &scope.declared);
    let evaluator = Evaluator::new(scope, changes, environment, path, cwd);
    let dotenv = effects::run(&evaluator, &parsed.program);
    let masked = mask::masked(source, &parsed.tokens, &parsed.program.comments);
    let hint = dotenv_hint(cwd, &dotenv);
    let fields = Fields { evaluator: &evaluator, shown, masked: &masked, hint: hint.as_deref() };
    let engine = fields.text(&["engine"], "").ok().flatten().map(|engine| engine.value);
    let config = Config {
        directory: directory_of(path),
        schema: fields.text(&["schema"], SCHEMA_HELP),
        migrations: fields.text(&["migrations", "path"], MIGRATIONS_HELP),
        url: url(&fields, engine.as_deref()),
        engine,
        external_tables: fields.texts(&["tables", "external"]),
        dotenv,
        hint: hint.clone(),
        shown: shown.to_owned(),
    };
    Ok((config, evaluator.environment.into_inner()))
}

/// With a config Prisma loads no `.env` file by itself, which people who come from an older one do not expect.
fn dotenv_hint(cwd: &Path, loaded: &[PathBuf]) -> Option<String> {
    let forgotten = loaded.is_empty() && cwd.join(".env").is_file();
    forgotten.then(|| {
        "There is a `.env` file, but this config does not load it: `import \"dotenv/config\"` does."
            .to_owned()
    })
}

/// The direct URL is the one for migrations; one that is there but undefined gives way, as in Prisma 6. Prisma 7, whose
/// configs have no `engine`, passes over it.
fn url(fields: &Fields<'_, '_>, engine: Option<&str>) -> Field<String> {
    if engine.is_none() {
        return fields.url(&["datasource", "url"], URL_HELP);
    }
    match fields.text(&["datasource", "directUrl"], URL_HELP)? {
        Some(direct) if !direct.value.is_empty() => Ok(Some(direct)),
        _ => fields.url(&["datasource", "url"], URL_HELP),
    }
}

fn syntax_error(source: &str, shown: &str, parsed: &ParserReturn<'_>) -> Diagnostic {
    let masked = mask::masked_roughly(source);
    let first = parsed.diagnostics.first();
    let span = first.and_then(|error| error.labels.first()).map_or(0..0, |label| {
        let start = label.offset() as usize;
        start..start + label.len() as usize
    });
    // The parser's words may quote the text, and the text may be a password: only the place is shown.
    Diagnostic::new(Code::ConfigUnreadable, format!("{shown} is not valid TypeScript."))
        .at(Place::new(shown, &masked, span).labelled("syntax error"))
        .help("Correct it, or name another config with `--config` (PLIMSOLL_CONFIG).")
}

#[cfg(test)]
mod tests;
