//! Members of values: `object.name`, object literals with their spreads, and `process.env`.

use std::path::Path;

use oxc_ast::ast::{Expression, MemberExpression, ObjectExpression, ObjectPropertyKind, PropertyKind};
use oxc_span::{GetSpan, Span};

use super::evaluate::{Evaluator, Result};
use super::value::{Failure, Function, Module, Native, Reason, Value, range};

impl<'a> Evaluator<'a> {
    pub(super) fn member_expression(&self, member: &'a MemberExpression<'a>) -> Result<Value<'a>> {
        let span = member.span();
        let object = self.evaluate(member.object())?;
        if object.is_nullish() && (member.optional() || self.chains.get() > 0) {
            return Ok(Value::Undefined);
        }
        match member {
            MemberExpression::StaticMemberExpression(member) => {
                self.member(&object, member.property.name.as_str(), span)
            }
            MemberExpression::ComputedMemberExpression(member) => {
                let key = self.evaluate(&member.expression)?;
                let key = self.to_text(&key, member.expression.span())?;
                match &member.expression {
                    Expression::StringLiteral(_) => self.member(&object, &key, span),
                    _ => self.computed_member(&object, &key, span),
                }
            }
            MemberExpression::PrivateFieldExpression(_) => {
                Err(Failure::unreadable(span, "it is a private field"))
            }
        }
    }

    /// `object[key]` with a key that was computed: it may be a secret, so that no message shows it.
    fn computed_member(&self, object: &Value<'a>, key: &str, span: Span) -> Result<Value<'a>> {
        let unset = self.unset.borrow().clone();
        let value = self.member(object, key, span);
        *self.unset.borrow_mut() = unset;
        value.map_err(|failure| match failure.reason {
            Reason::Unreadable(_) if failure.span == range(span) => {
                Failure::unreadable(span, "Plimsoll does not know the member that this key names")
            }
            _ => failure,
        })
    }

    /// `object.name`.
    pub(super) fn member(&self, object: &Value<'a>, name: &str, span: Span) -> Result<Value<'a>> {
        let unknown = || Failure::unreadable(span, format!("Plimsoll does not know the member `{name}`"));
        match object {
            Value::Object(object) => {
                Ok(self.property(object, name)?.map_or(Value::Undefined, |(value, _)| value))
            }
            Value::Native(native) => self.native_member(native, name, span),
            Value::Text(text) if name == "trim" => {
                Ok(Value::Native(Native::Function(Function::Trim(text.clone()))))
            }
            Value::Undefined | Value::Null => {
                Err(Failure::unreadable(span, format!("it reads `{name}` of {}", object.kind())))
            }
            _ => Err(unknown()),
        }
    }

    fn native_member(&self, native: &Native, name: &str, span: Span) -> Result<Value<'a>> {
        let text = |path: &Path| Ok(Value::Text(path.display().to_string()));
        match (native, name) {
            (Native::Environment, name) => self.variable(name, span),
            (Native::Process, name) if Module::Process.member(name).is_some() && name != "default" => {
                Ok(Module::Process.member(name).map_or(Value::Undefined, Value::Native))
            }
            (Native::Module(module), name) => module.member(name).map(Value::Native).ok_or_else(|| {
                Failure::unreadable(span, format!("Plimsoll does not know `{name}` of this module"))
            }),
            (Native::ImportMeta, "dirname") => text(self.file.parent().unwrap_or(&self.file)),
            (Native::ImportMeta, "filename") => text(&self.file),
            (Native::ImportMeta, "url") => Ok(Value::Native(Native::FileUrl(self.file.clone()))),
            (Native::FileUrl(path), "pathname") => text(path),
            (Native::FileUrl(path), "href") => Ok(Value::Text(format!("file://{}", path.display()))),
            _ => Err(Failure::unreadable(span, format!("Plimsoll does not know the member `{name}`"))),
        }
    }

    /// `process.env.NAME`.
    fn variable(&self, name: &str, span: Span) -> Result<Value<'a>> {
        if self.changes.has_variable(name) {
            return Err(Failure::unreadable(span, format!("this file itself sets `process.env.{name}`")));
        }
        let value = self.environment.borrow().get(name).map(str::to_owned);
        if value.is_none() {
            self.unset.borrow_mut().insert(name.to_owned());
        }
        Ok(value.map_or(Value::Undefined, Value::Text))
    }

    /// A member of an object literal with the place of its value; the last one of a name counts, spreads included.
    pub(super) fn property(
        &self,
        object: &'a ObjectExpression<'a>,
        name: &str,
    ) -> Result<Option<(Value<'a>, Span)>> {
        for property in object.properties.iter().rev() {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    if let Some(found) = self.spread(&spread.argument, name)? {
                        return Ok(Some(found));
                    }
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = match (property.key.static_name(), property.key.as_expression()) {
                        (Some(key), _) => key.into_owned(),
                        (None, Some(key)) => self.to_text(&self.evaluate(key)?, key.span())?,
                        (None, None) => continue,
                    };
                    if key != name {
                        continue;
                    }
                    if property.kind != PropertyKind::Init || property.method {
                        return Err(Failure::unreadable(property.span, "it is a function"));
                    }
                    return Ok(Some((self.evaluate(&property.value)?, property.value.span())));
                }
            }
        }
        Ok(None)
    }

    fn spread(&self, argument: &'a Expression<'a>, name: &str) -> Result<Option<(Value<'a>, Span)>> {
        match self.evaluate(argument)? {
            Value::Object(object) => self.deeper(object.span, || self.property(object, name)),
            Value::Native(Native::Environment) => match self.variable(name, argument.span())? {
                Value::Undefined => Ok(None),
                value => Ok(Some((value, argument.span()))),
            },
            Value::Native(_) | Value::Text(_) | Value::List(_) => {
                Err(Failure::unreadable(argument.span(), "Plimsoll does not know the members of this value"))
            }
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) => Ok(None),
        }
    }
}
