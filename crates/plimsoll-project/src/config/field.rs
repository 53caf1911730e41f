//! The fields of a config: from an expression to a value of our own, or to an error that points at the expression.

use std::ops::Range;

use oxc_ast::ast::ArrayExpressionElement;
use oxc_span::{GetSpan, Span};
use plimsoll_core::{Code, Diagnostic, Place};

use super::evaluate::Evaluator;
use super::scope::Export;
use super::value::{Failure, Reason, Value, range};
use crate::display::shown_variable;

/// A value with the place that it was read from.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// What a config says about one thing; the error matters only if that thing is needed.
pub(crate) type Field<T> = Result<Option<Setting<T>>, Diagnostic>;

/// A list that is taken for empty if it cannot be read, and then says so.
#[derive(Clone)]
pub(crate) struct Lenient {
    pub(crate) texts: Vec<String>,
    pub(crate) note: Option<String>,
}

/// Reads the fields of one file.
pub(super) struct Fields<'e, 'a> {
    pub(super) evaluator: &'e Evaluator<'a>,
    /// The file as shown to people.
    pub(super) shown: &'e str,
    /// Its source without its strings.
    pub(super) masked: &'e str,
    /// What to say beside a variable that is not set.
    pub(super) hint: Option<&'e str>,
}

type Found<'a> = Option<(Value<'a>, Span)>;

impl<'a> Fields<'_, 'a> {
    /// A text; `help` is what to do if it cannot be read.
    pub(super) fn text(&self, path: &[&str], help: &str) -> Field<String> {
        let read = || match self.find(path)? {
            None | Some((Value::Undefined, _)) => Ok(None),
            Some((Value::Text(text), span)) => Ok(Some((text, span))),
            Some((other, span)) => Err(wrong_type(span, "a string", &other)),
        };
        self.field(&path.join("."), help, read())
    }

    /// A connection URL: as [`Self::text`], but one that is there and undefined, or empty, is an error.
    pub(super) fn url(&self, path: &[&str], help: &str) -> Field<String> {
        self.evaluator.unset.borrow_mut().clear();
        let name = path.join(".");
        let missing = |span: Span, what: &str| {
            let unset = self.evaluator.unset_in_words();
            let step = match unset {
                Some(_) => format!("Set the variable, or {help}."),
                None => sentence(help),
            };
            let unset = unset.map_or_else(String::new, |unset| format!(": {unset}"));
            let message = format!("`{name}` of {} is {what}{unset}.", self.shown);
            let diagnostic = Diagnostic::new(Code::UrlMissing, message).at(self.place(range(span)));
            Err(self.hinted(diagnostic.help(step)))
        };
        match self.find(path) {
            Ok(Some((Value::Undefined, span))) => missing(span, "undefined"),
            Ok(Some((Value::Text(text), span))) if text.is_empty() => missing(span, "empty"),
            _ => self.text(path, help),
        }
    }

    /// A list of texts that is taken for empty if it cannot be read; one of a wrong type is an error.
    pub(super) fn texts(&self, path: &[&str]) -> Result<Lenient, Diagnostic> {
        let name = path.join(".");
        let read = || -> Result<Vec<String>, Failure> {
            match self.find(path)? {
                None | Some((Value::Undefined, _)) => Ok(Vec::new()),
                Some((list, span)) => {
                    let mut texts = Vec::new();
                    self.collect(&list, span, &mut texts)?;
                    Ok(texts)
                }
            }
        };
        match read() {
            Ok(texts) => Ok(Lenient { texts, note: None }),
            Err(failure) => {
                let wrong = matches!(failure.reason, Reason::WrongType { .. });
                let diagnostic = self.diagnostic(&name, "write it out as a list of strings", failure);
                let note = format!("{} It is taken for empty.", diagnostic.message);
                if wrong { Err(diagnostic) } else { Ok(Lenient { texts: Vec::new(), note: Some(note) }) }
            }
        }
    }

    fn collect(&self, list: &Value<'a>, span: Span, texts: &mut Vec<String>) -> Result<(), Failure> {
        let Value::List(list) = list else { return Err(wrong_type(span, "a list of strings", list)) };
        for element in &list.elements {
            if let ArrayExpressionElement::SpreadElement(spread) = element {
                let inner = self.evaluator.evaluate(&spread.argument)?;
                self.collect(&inner, spread.span, texts)?;
                continue;
            }
            let value =
                element.as_expression().map_or(Ok(Value::Undefined), |one| self.evaluator.evaluate(one))?;
            match value {
                Value::Text(text) => texts.push(text),
                other => return Err(wrong_type(element.span(), "a string", &other)),
            }
        }
        Ok(())
    }

    /// The value at a path from the exported object.
    fn find(&self, path: &[&str]) -> Result<Found<'a>, Failure> {
        let Some((mut value, mut span)) = self.exported()? else { return Ok(None) };
        for (at, name) in path.iter().enumerate() {
            let object = match value {
                Value::Object(object) => object,
                Value::Undefined => return Ok(None),
                other => return Err(wrong_part(span, path[..at].join("."), &other)),
            };
            match self.evaluator.property(object, name)? {
                Some(found) => (value, span) = found,
                None => return Ok(None),
            }
        }
        Ok(Some((value, span)))
    }

    fn exported(&self) -> Result<Found<'a>, Failure> {
        self.evaluator.restart();
        match &self.evaluator.scope.export {
            None => Ok(None),
            Some(Export::Expression(expression)) => {
                Ok(Some((self.evaluator.evaluate(expression)?, expression.span())))
            }
            Some(Export::Name(name, span)) => Ok(Some((self.evaluator.name(name, *span)?, *span))),
            Some(Export::Opaque(span)) => {
                Err(Failure::unreadable(*span, "the config exports a function or a class"))
            }
        }
    }

    fn field<T>(&self, name: &str, help: &str, read: Result<Option<(T, Span)>, Failure>) -> Field<T> {
        match read {
            Ok(found) => Ok(found.map(|(value, span)| Setting { value, place: self.place(range(span)) })),
            Err(failure) => Err(self.diagnostic(name, help, failure)),
        }
    }

    fn diagnostic(&self, name: &str, help: &str, failure: Failure) -> Diagnostic {
        let new = |message: String| Diagnostic::new(Code::ConfigUnreadable, message);
        let place = self.place(failure.span);
        let what = format!("`{name}` of {}", self.shown);
        match failure.reason {
            Reason::Unreadable(reason) => {
                let diagnostic = new(format!("{what} cannot be read without running it: {reason}."));
                diagnostic.at(place.labelled("this would have to be run")).help(self.way_out(help))
            }
            Reason::EnvironmentUnset(variable) => {
                let variable = shown_variable(&variable);
                let message =
                    format!("PrismaConfigEnvError: Cannot resolve environment variable: {variable}.");
                let diagnostic = new(message).at(place.labelled("not set, or empty"));
                self.hinted(diagnostic.help(format!("Set {variable}, or {help}.")))
            }
            Reason::UndefinedInText(unset) => {
                let why = unset.map_or_else(String::new, |unset| format!(": {unset}"));
                let diagnostic = new(format!("{what} would hold the word `undefined`{why}."));
                self.hinted(diagnostic.at(place.labelled("undefined")).help(self.way_out(help)))
            }
            Reason::WrongType { expected, found, part } => {
                let what = match part.as_deref() {
                    None => what,
                    Some("") => format!("What {} exports", self.shown),
                    Some(part) => format!("`{part}` of {}", self.shown),
                };
                new(format!("{what} is {found}, and has to be {expected}.")).at(place).help(sentence(help))
            }
        }
    }

    fn hinted(&self, diagnostic: Diagnostic) -> Diagnostic {
        match self.hint {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        }
    }

    /// What to do about a value that cannot be read; if none of the config can, all of the flags.
    fn way_out(&self, help: &str) -> String {
        match self.exported() {
            Ok(_) => sentence(help),
            Err(_) => "None of this config can be read: give `--schema`, `--migrations` and `--url` \
                       (PLIMSOLL_SCHEMA, PLIMSOLL_MIGRATIONS, PLIMSOLL_URL)."
                .to_owned(),
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.shown, self.masked, span)
    }
}

fn wrong_type(span: Span, expected: &'static str, found: &Value<'_>) -> Failure {
    Failure { span: range(span), reason: Reason::WrongType { expected, found: found.kind(), part: None } }
}

/// What holds the value is to blame; an empty `part` is the exported value.
fn wrong_part(span: Span, part: String, found: &Value<'_>) -> Failure {
    let reason = Reason::WrongType { expected: "an object", found: found.kind(), part: Some(part) };
    Failure { span: range(span), reason }
}

/// The words as a sentence of their own.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
