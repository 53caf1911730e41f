//! Values of JavaScript, as far as a config can hold them, and what JavaScript makes of them.

use std::ops::Range;
use std::path::PathBuf;

use oxc_ast::ast::{ArrayExpression, ObjectExpression};

/// A value that is known without running anything.
///
/// Objects and lists are not evaluated until one of their members is asked for. It can hold a password, so that there
/// is no `Debug`.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(&'a ArrayExpression<'a>),
    Object(&'a ObjectExpression<'a>),
    Native(Native),
}

/// What comes with the platform, or from a module that configs import.
#[derive(Clone, PartialEq)]
pub(super) enum Native {
    /// `process`
    Process,
    /// `process.env`
    Environment,
    /// `import.meta`
    ImportMeta,
    /// A module as a whole.
    Module(Module),
    /// Something that can be called.
    Function(Function),
    /// A URL of a file.
    FileUrl(PathBuf),
}

/// A module that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Module {
    Prisma,
    Path,
    Process,
    Url,
    Dotenv,
}

/// A function that is known.
#[derive(Clone, PartialEq)]
pub(super) enum Function {
    DefineConfig,
    Env,
    Join,
    Resolve,
    Dirname,
    Normalize,
    Cwd,
    FileUrlToPath,
    PathToFileUrl,
    /// The class `URL`.
    Url,
    /// `String`
    Text,
    /// `Boolean`
    Bool,
    /// `dotenv.config`
    Dotenv,
    /// `process.loadEnvFile`
    LoadEnvFile,
    /// `require`
    Require,
    /// `trim` of a text.
    Trim(String),
}

impl Module {
    /// The module that a specifier names.
    pub(super) fn named(specifier: &str) -> Option<Self> {
        Some(match specifier.strip_prefix("node:").unwrap_or(specifier) {
            "prisma/config" | "prisma/config.js" | "@prisma/config" => Self::Prisma,
            "path" | "path/posix" => Self::Path,
            "process" => Self::Process,
            "url" => Self::Url,
            "dotenv" => Self::Dotenv,
            _ => return None,
        })
    }

    /// What the module exports under a name.
    pub(super) fn member(self, name: &str) -> Option<Native> {
        let function = match (self, name) {
            (Self::Process, "default") => return Some(Native::Process),
            (Self::Process, "env") => return Some(Native::Environment),
            (Self::Path, "posix" | "default") | (_, "default") => return Some(Native::Module(self)),
            (Self::Process, "cwd") => Function::Cwd,
            (Self::Process, "loadEnvFile") => Function::LoadEnvFile,
            (Self::Prisma, "defineConfig") => Function::DefineConfig,
            (Self::Prisma, "env") => Function::Env,
            (Self::Path, "join") => Function::Join,
            (Self::Path, "resolve") => Function::Resolve,
            (Self::Path, "dirname") => Function::Dirname,
            (Self::Path, "normalize") => Function::Normalize,
            (Self::Url, "fileURLToPath") => Function::FileUrlToPath,
            (Self::Url, "pathToFileURL") => Function::PathToFileUrl,
            (Self::Url, "URL") => Function::Url,
            (Self::Dotenv, "config") => Function::Dotenv,
            _ => return None,
        };
        Some(Native::Function(function))
    }
}

impl Value<'_> {
    /// Whether JavaScript takes the value for true.
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Object(_) | Self::Native(_) => true,
        }
    }

    /// Whether `??` goes on to its right side.
    pub(super) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// What `typeof` says.
    pub(super) fn type_of(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Native(Native::Function(_)) => "function",
            Self::Null | Self::List(_) | Self::Object(_) | Self::Native(_) => "object",
        }
    }

    /// The kind of the value in words for people; the value itself may be a secret.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::List(_) => "a list",
            Self::Undefined => "undefined",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Native(Native::Function(_)) => "a function",
            Self::Object(_) | Self::Native(_) => "an object",
        }
    }

    /// `===`, if it can be decided.
    pub(super) fn strictly_equals(&self, other: &Self) -> Option<bool> {
        Some(match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            #[expect(clippy::float_cmp, reason = "JavaScript compares them exactly")]
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(_) | Self::Object(_) | Self::Native(_), b) if !b.is_primitive() => return None,
            _ => false,
        })
    }

    /// `==`, if it can be decided; what converts one type into another cannot.
    pub(super) fn loosely_equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (a, b) if a.is_nullish() || b.is_nullish() => Some(a.is_nullish() && b.is_nullish()),
            (a, b) if a.type_of() == b.type_of() => a.strictly_equals(b),
            _ => None,
        }
    }

    fn is_primitive(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_) | Self::Native(_))
    }
}

/// A number as JavaScript writes it, for those that a config holds.
pub(super) fn number_to_text(value: f64) -> Option<String> {
    (value.abs() < 1e15).then(|| if value == 0.0 { "0".to_owned() } else { value.to_string() })
}

/// Why a value is not known.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The expression that is to blame.
    pub(super) span: Range<usize>,
    pub(super) reason: Reason,
}

/// The kinds of failure. None of them holds a value.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// It would have to be run.
    Unreadable(String),
    /// `env('X')` for a variable that is not set, or empty.
    EnvironmentUnset(String),
    /// The value is known, and is not what belongs there.
    ///
    /// `part` is what has the wrong type if it is not the value itself, but what holds it.
    WrongType { expected: &'static str, found: &'static str, part: Option<String> },
    /// It would write the word `undefined` into a text; with the variables that are not set, in words.
    UndefinedInText(Option<String>),
}

impl Failure {
    pub(super) fn unreadable(span: oxc_span::Span, reason: impl Into<String>) -> Self {
        Self { span: range(span), reason: Reason::Unreadable(reason.into()) }
    }
}

/// The bytes of a span.
pub(super) fn range(span: oxc_span::Span) -> Range<usize> {
    span.start as usize..span.end as usize
}
