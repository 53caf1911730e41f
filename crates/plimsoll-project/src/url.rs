//! Which connection URL counts.

use plimsoll_core::{Code, Diagnostic, Place, Secret};

use crate::Request;
use crate::config::Config;
use crate::display::shown_variable;
use crate::environment::Environment;
use crate::schema::{Schema, Shape, Value};

/// A URL with the place that it comes from; one of the command line has none.
type Placed = (Secret, Option<Place>);

/// The URL of the flag, else of the config, else of the schema; the direct one where there are two.
pub(crate) fn choose(
    request: &Request,
    config: Option<&Config>,
    schema: &Schema,
    environment: &Environment,
) -> Result<Placed, Diagnostic> {
    if let Some(url) = &request.url {
        return Ok((url.clone(), None));
    }
    if let Some(setting) = config.map_or(Ok(None), |config| config.url.clone())? {
        return Ok((Secret::new(setting.value), Some(setting.place)));
    }
    let hint = config.and_then(|config| config.hint.clone());
    let hinted = |error: Diagnostic| match &hint {
        Some(hint) => error.help(hint),
        None => error,
    };
    match (&schema.direct_url, &schema.url) {
        (Some(value), _) => from_schema(schema, value, environment, Property::DirectUrl).map_err(hinted),
        (None, Some(value)) => from_schema(schema, value, environment, Property::Url).map_err(hinted),
        (None, None) => Err(missing(config, schema)),
    }
}

/// A property of the datasource block.
#[derive(Clone, Copy)]
enum Property {
    Url,
    DirectUrl,
}

impl Property {
    fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::DirectUrl => "directUrl",
        }
    }

    /// What Prisma calls it in its messages.
    fn words(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::DirectUrl => "direct URL",
        }
    }
}

fn from_schema(
    schema: &Schema,
    value: &Value,
    environment: &Environment,
    property: Property,
) -> Result<Placed, Diagnostic> {
    let place = schema.place(&value.span);
    let invalid = |message: String| Diagnostic::new(Code::SchemaInvalid, message).at(place.clone());
    let start = format!("Error validating datasource `{}`: You must provide a nonempty", schema.name);
    let words = property.words();
    let url = match &value.shape {
        Shape::Text(text) if text.is_empty() => {
            return Err(invalid(format!("{start} {words}.")).help("Give one with `--url` (PLIMSOLL_URL)."));
        }
        Shape::Text(text) => text.clone(),
        Shape::Call(function, arguments) if function == "env" => {
            let Some(variable) = only_text(arguments) else {
                let message = format!("`env` of `{}` takes the name of one variable.", property.name());
                return Err(invalid(message));
            };
            let name = shown_variable(variable);
            match environment.get(variable) {
                None => {
                    let message = format!("Environment variable not found: {name}.");
                    return Err(invalid(message).help(step(name)));
                }
                Some("") => {
                    let end = format!("The environment variable `{name}` resolved to an empty string.");
                    return Err(invalid(format!("{start} {words}. {end}")).help(step(name)));
                }
                Some(value) => value.to_owned(),
            }
        }
        _ => {
            let message = format!("`{}` has to be a string or `env(\"NAME\")`.", property.name());
            return Err(invalid(message));
        }
    };
    Ok((Secret::new(url), Some(place)))
}

/// The variable that a value of the schema comes from.
pub(crate) fn variable(value: &Value) -> Option<&str> {
    match &value.shape {
        Shape::Call(function, arguments) if function == "env" => only_text(arguments),
        _ => None,
    }
}

/// What to do about a variable that is not set.
fn step(name: &str) -> String {
    match name {
        "***" => {
            "`env` takes the name of a variable, not its value: write `env(\"DATABASE_URL\")`.".to_owned()
        }
        _ => format!("Set {name} in the environment of this process, or give `--url` (PLIMSOLL_URL)."),
    }
}

fn only_text(arguments: &[Value]) -> Option<&str> {
    match arguments {
        [Value { shape: Shape::Text(text), .. }] => Some(text),
        _ => None,
    }
}

fn missing(config: Option<&Config>, schema: &Schema) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UrlMissing,
        "Nothing says which database to use: no `--url`, no \
         `datasource.url` in the Prisma config, and no `url` in the schema.",
    )
    .at(schema.head().labelled("this datasource has no `url`"))
    .help("Give the connection URL as `--url`, or set PLIMSOLL_URL.");
    match config {
        Some(config) if config.engine.as_deref() == Some("js") => diagnostic.help(format!(
            "{} has `engine: \"js\"`: its adapter is code that Plimsoll does not run.",
            config.shown
        )),
        Some(config) => diagnostic.help(format!(
            "Or write `datasource: {{ url: env(\"DATABASE_URL\") }}` into {}.",
            config.shown
        )),
        None => diagnostic.help(
            "Or write a prisma.config.ts with `datasource: { url: env(\"DATABASE_URL\") }`, as Prisma 7 wants it.",
        ),
    }
}
