//! Prisma's schema language, as far as a migration needs it: the `datasource` block.
//!
//! The lexer and the parser are our own. Prisma's parser is not published as a maintained crate, and the one in its
//! engine brings the whole engine with it; what is needed here is one block of assignments. Everything else in a schema
//! is skipped by its braces, so that a schema for a newer Prisma does not have to be understood to be deployed.

mod datasource;
mod lexer;
pub(crate) mod mask;

use std::ops::Range;
use std::path::PathBuf;

use plimsoll_core::{Code, Diagnostic, Place, Provider};

pub(crate) use datasource::{Shape, Value};

use datasource::{Assignment, Block, Fault};

/// The file that holds the datasource, and the datasource.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// The directory that the file is in.
    pub(crate) directory: PathBuf,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) schemas: Vec<String>,
    pub(crate) url: Option<Value>,
    pub(crate) direct_url: Option<Value>,
    file: String,
    masked: String,
    head: Range<usize>,
}

/// One file of a schema.
pub(crate) struct Source {
    /// As shown to people.
    pub(crate) shown: String,
    pub(crate) directory: PathBuf,
    pub(crate) text: String,
}

/// Finds the one datasource of a schema that may be spread over several files.
pub(crate) fn read(sources: &[Source], shown: &str) -> Result<Schema, Diagnostic> {
    let files: Vec<_> = sources.iter().map(File::read).collect();
    let mut found = files.iter().flat_map(|file| file.blocks.iter().map(move |block| (file, block)));
    let Some((file, block)) = found.next() else { return Err(no_datasource(&files, shown)) };
    if let Some((file, second)) = found.next() {
        let message = "You defined more than one datasource. Only one is allowed.";
        let place = file.place(&second.head).labelled("the second one");
        return Err(Diagnostic::new(Code::SchemaInvalid, message)
            .at(place)
            .help(format!("The first one is `{}`. Delete one of them.", block.name)));
    }
    match file.faults.first() {
        Some(fault) => Err(file.invalid(fault)),
        None => file.schema(block),
    }
}

impl Schema {
    /// A place in the file with the datasource.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        Place::new(&self.file, &self.masked, span.clone())
    }

    /// The place of `datasource name`.
    pub(crate) fn head(&self) -> Place {
        self.place(&self.head)
    }
}

struct File<'a> {
    source: &'a Source,
    masked: String,
    blocks: Vec<Block>,
    faults: Vec<Fault>,
}

impl<'a> File<'a> {
    fn read(source: &'a Source) -> Self {
        let tokens = lexer::tokens(&source.text);
        let (blocks, faults) = datasource::blocks(&source.text, &tokens);
        let spans: Vec<_> = blocks.iter().map(|block| block.span.clone()).collect();
        File { source, masked: mask::masked(&source.text, &tokens, &spans), blocks, faults }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place::new(&self.source.shown, &self.masked, span.clone())
    }

    fn invalid(&self, fault: &Fault) -> Diagnostic {
        Diagnostic::new(Code::SchemaInvalid, &fault.message).at(self.place(&fault.span))
    }

    fn schema(&self, block: &Block) -> Result<Schema, Diagnostic> {
        let get = |name| self.assignment(block, name);
        let value = |name| Ok(get(name)?.map(|assignment: &Assignment| assignment.value.clone()));
        Ok(Schema {
            directory: self.source.directory.clone(),
            name: block.name.clone(),
            provider: self.provider(block, get("provider")?)?,
            schemas: get("schemas")?.map_or_else(|| Ok(Vec::new()), |schemas| self.texts(schemas))?,
            url: value("url")?,
            direct_url: value("directUrl")?,
            file: self.source.shown.clone(),
            masked: self.masked.clone(),
            head: block.head.clone(),
        })
    }

    fn assignment<'b>(&self, block: &'b Block, name: &str) -> Result<Option<&'b Assignment>, Diagnostic> {
        let mut all = block.assignments.iter().filter(|assignment| assignment.name == name);
        let first = all.next();
        all.next().map_or(Ok(first), |second| {
            let message = format!("`{name}` stands twice in the datasource `{}`.", block.name);
            Err(Diagnostic::new(Code::SchemaInvalid, message).at(self.place(&second.span)))
        })
    }

    fn provider(&self, block: &Block, assignment: Option<&Assignment>) -> Result<Provider, Diagnostic> {
        let Some(assignment) = assignment else {
            let message =
                format!("Argument \"provider\" is missing in data source block \"{}\".", block.name);
            return Err(Diagnostic::new(Code::SchemaInvalid, message)
                .at(self.place(&block.head))
                .help("Add the kind of database, such as `provider = \"postgresql\"`."));
        };
        let place = self.place(&assignment.value.span);
        let Shape::Text(name) = &assignment.value.shape else {
            let message = "The `provider` of a datasource has to be a string.";
            return Err(Diagnostic::new(Code::SchemaInvalid, message)
                .at(place)
                .help("Prisma takes no `env(…)` and no list there: write `provider = \"postgresql\"`."));
        };
        Provider::parse(name).ok_or_else(|| {
            let name = if name.contains("://") { "***" } else { name };
            let message = format!("Datasource provider not known: \"{name}\".");
            Diagnostic::new(Code::SchemaInvalid, message)
                .at(place)
                .help("Prisma knows postgresql, mysql, sqlite, cockroachdb, sqlserver and mongodb.")
        })
    }

    fn texts(&self, assignment: &Assignment) -> Result<Vec<String>, Diagnostic> {
        let invalid = |span: &Range<usize>| {
            let message = format!("`{}` has to be a list of strings.", assignment.name);
            Diagnostic::new(Code::SchemaInvalid, message).at(self.place(span))
        };
        let Shape::List(values) = &assignment.value.shape else {
            return Err(invalid(&assignment.value.span));
        };
        let text = |value: &Value| match &value.shape {
            Shape::Text(text) => Ok(text.clone()),
            _ => Err(invalid(&value.span)),
        };
        values.iter().map(text).collect()
    }
}

fn no_datasource(files: &[File<'_>], shown: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::SchemaInvalid, format!("`{shown}` has no datasource block."))
        .help("Add `datasource db { provider = \"postgresql\" }`, or name the schema that has one with `--schema`.");
    match files {
        [file] => diagnostic.at(file.place(&(0..0))),
        _ => diagnostic,
    }
}

#[cfg(test)]
mod tests;
