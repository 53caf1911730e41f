//! Calls of the few functions that a config needs: none of them runs anything of the project's.

use std::path::{Path, PathBuf};

use oxc_ast::ast::{Argument, CallExpression, Expression, NewExpression};
use oxc_span::{GetSpan, Span};

use super::evaluate::{Evaluator, Result};
use super::value::{Failure, Function, Module, Native, Reason, Value, range};
use crate::display::{absolute, normalize};

impl<'a> Evaluator<'a> {
    pub(super) fn call(&self, call: &'a CallExpression<'a>) -> Result<Value<'a>> {
        // `process.env.X?.trim()` of an unset variable, and `x.toString()`.
        if let Some(callee) = call.callee.as_member_expression() {
            let object = self.evaluate(callee.object())?;
            if object.is_nullish() && (callee.optional() || call.optional) {
                return Ok(Value::Undefined);
            }
            if callee.static_property_name() == Some("toString") && call.arguments.is_empty() {
                return Ok(Value::Text(self.to_text(&object, call.span)?));
            }
        }
        match self.evaluate(&call.callee) {
            Ok(Value::Native(Native::Function(function))) => {
                self.apply(&function, &call.arguments, call.span)
            }
            Ok(other) => Err(Failure::unreadable(call.span, format!("it calls {}", other.kind()))),
            Err(Failure { reason: Reason::Unreadable(reason), .. }) => Err(Failure::unreadable(
                call.span,
                format!("it is a call that Plimsoll does not make ({reason})"),
            )),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn construct(&self, new: &'a NewExpression<'a>) -> Result<Value<'a>> {
        let unknown = || Failure::unreadable(new.span, "it makes an object that Plimsoll does not know");
        let Ok(Value::Native(Native::Function(Function::Url))) = self.evaluate(&new.callee) else {
            return Err(unknown());
        };
        let arguments = self.arguments(&new.arguments)?;
        match arguments.as_slice() {
            [(Value::Text(path), _), (Value::Native(Native::FileUrl(base)), _)] if !path.contains(':') => {
                let base = base.parent().unwrap_or(base);
                Ok(Value::Native(Native::FileUrl(absolute(base, Path::new(path)))))
            }
            _ => Err(unknown()),
        }
    }

    fn apply(&self, function: &Function, arguments: &'a [Argument<'a>], span: Span) -> Result<Value<'a>> {
        let path = |path: PathBuf| Ok(Value::Text(path.display().to_string()));
        match function {
            Function::DefineConfig => Ok(self.first(arguments)?.0),
            Function::Env => self.env(arguments, span),
            Function::Cwd => path(self.cwd.clone()),
            Function::Join => Ok(Value::Text(join(&self.texts(arguments)?))),
            Function::Normalize => Ok(Value::Text(join(&[self.first_text(arguments)?]))),
            Function::Resolve => {
                let texts = self.texts(arguments)?;
                path(texts.iter().fold(self.cwd.clone(), |base, text| absolute(&base, Path::new(text))))
            }
            Function::Dirname => Ok(Value::Text(dirname(&self.first_text(arguments)?))),
            Function::FileUrlToPath => match self.first(arguments)? {
                (Value::Native(Native::FileUrl(file)), _) => path(file),
                (Value::Text(text), _) if text.starts_with("file:///") => {
                    Ok(Value::Text(text[7..].to_owned()))
                }
                (_, span) => Err(Failure::unreadable(span, "it is no URL of a file")),
            },
            Function::PathToFileUrl => {
                let file = absolute(&self.cwd, Path::new(&self.first_text(arguments)?));
                Ok(Value::Native(Native::FileUrl(file)))
            }
            Function::Text => {
                let (value, span) = self.first(arguments)?;
                Ok(Value::Text(self.to_text(&value, span)?))
            }
            Function::Bool => Ok(Value::Bool(self.first(arguments)?.0.is_truthy())),
            Function::Trim(text) => Ok(Value::Text(text.trim().to_owned())),
            Function::Require => {
                let name = self.first_text(arguments)?;
                let module = Module::named(&name).map(|module| Value::Native(Native::Module(module)));
                module.ok_or_else(|| Failure::unreadable(span, "it is a package that Plimsoll does not know"))
            }
            Function::Url | Function::Dotenv | Function::LoadEnvFile => {
                Err(Failure::unreadable(span, "Plimsoll does not know what this call returns"))
            }
        }
    }

    /// Prisma's `env('X')`, for which an empty variable is as good as none.
    fn env(&self, arguments: &'a [Argument<'a>], span: Span) -> Result<Value<'a>> {
        let name = self.first_text(arguments)?;
        // A name that was computed may be a secret.
        let literal = match arguments.first() {
            Some(Argument::StringLiteral(_)) => true,
            Some(Argument::TemplateLiteral(template)) => template.expressions.is_empty(),
            _ => false,
        };
        let shown = if literal { name.clone() } else { "***".to_owned() };
        if self.changes.has_variable(&name) {
            return Err(Failure::unreadable(span, format!("this file itself sets `process.env.{shown}`")));
        }
        match self.environment.borrow().get(&name) {
            Some(value) if !value.is_empty() => Ok(Value::Text(value.to_owned())),
            _ => Err(Failure { span: range(span), reason: Reason::EnvironmentUnset(shown) }),
        }
    }

    /// The values of arguments, each with its place.
    pub(super) fn arguments(&self, arguments: &'a [Argument<'a>]) -> Result<Vec<(Value<'a>, Span)>> {
        arguments.iter().map(|argument| self.argument(argument)).collect()
    }

    fn argument(&self, argument: &'a Argument<'a>) -> Result<(Value<'a>, Span)> {
        let span = argument.span();
        let expression: Option<&Expression<'_>> = argument.as_expression();
        let expression = expression.ok_or_else(|| Failure::unreadable(span, "it spreads a list"))?;
        Ok((self.evaluate(expression)?, span))
    }

    fn first(&self, arguments: &'a [Argument<'a>]) -> Result<(Value<'a>, Span)> {
        arguments.first().map_or(Ok((Value::Undefined, Span::default())), |first| self.argument(first))
    }

    fn first_text(&self, arguments: &'a [Argument<'a>]) -> Result<String> {
        let (value, span) = self.first(arguments)?;
        self.to_text(&value, span)
    }

    fn texts(&self, arguments: &'a [Argument<'a>]) -> Result<Vec<String>> {
        let arguments = self.arguments(arguments)?;
        arguments.iter().map(|(value, span)| self.to_text(value, *span)).collect()
    }
}

/// Node's `path.join`.
fn join(parts: &[String]) -> String {
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    let joined = parts.join("/");
    let path = normalize(Path::new(&joined)).display().to_string();
    match (path.is_empty(), joined.ends_with('/') && path != "/") {
        (true, _) => ".".to_owned(),
        (false, true) => path + "/",
        (false, false) => path,
    }
}

/// Node's `path.dirname`.
fn dirname(path: &str) -> String {
    match Path::new(path).parent() {
        Some(parent) if parent.as_os_str().is_empty() => ".".to_owned(),
        Some(parent) => parent.display().to_string(),
        None if path.is_empty() => ".".to_owned(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_node_does() {
        let join = |parts: &[&str]| join(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(join(&["prisma", "schema.prisma"]), "prisma/schema.prisma");
        assert_eq!(join(&["/a", "/b", "..", "c"]), "/a/c");
        assert_eq!(join(&["..", "x", ""]), "../x");
        assert_eq!(join(&["", ""]), ".");
        assert_eq!(join(&["a", "b/"]), "a/b/");
    }

    #[test]
    fn the_directory_of_a_path_is_node_s() {
        assert_eq!(dirname("/a/b"), "/a");
        assert_eq!(dirname("a"), ".");
        assert_eq!(dirname("/"), "/");
    }
}
