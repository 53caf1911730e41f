//! What an expression is, as far as that is known without running it.
//!
//! Nothing is evaluated before it is asked for, so that a config may hold anything at all in the parts that a migration
//! does not need. Depth and number of steps are bounded, so that a constant that refers to itself is an error.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oxc_ast::ast::{
    BinaryExpression, BinaryOperator, ChainElement, Expression, LogicalExpression, LogicalOperator,
    TemplateLiteral, UnaryExpression, UnaryOperator,
};
use oxc_span::{GetSpan, Span};

use super::changes::Changes;
use super::scope::{Binding, Scope, Step};
use super::value::{Failure, Function, Module, Native, Reason, Value, number_to_text, range};
use crate::display::shown_variable;
use crate::environment::Environment;

/// Deeper than any config that a person wrote.
const DEPTH: u32 = 128;
/// More than any config that a person wrote takes.
const STEPS: u32 = 20_000;

/// A value, or why it is not known.
pub(super) type Result<T> = std::result::Result<T, Failure>;

/// The evaluation of one file.
pub(super) struct Evaluator<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) changes: Changes,
    pub(super) environment: RefCell<Environment>,
    /// The config itself.
    pub(super) file: PathBuf,
    pub(super) cwd: PathBuf,
    /// Variables that were asked for and are not set, since this was last emptied.
    pub(super) unset: RefCell<BTreeSet<String>>,
    depth: Cell<u32>,
    steps: Cell<u32>,
    /// How many `?.` chains are being evaluated.
    pub(super) chains: Cell<u32>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        scope: Scope<'a>,
        changes: Changes,
        environment: Environment,
        file: &Path,
        cwd: &Path,
    ) -> Self {
        Self {
            scope,
            changes,
            environment: RefCell::new(environment),
            file: file.to_owned(),
            cwd: cwd.to_owned(),
            unset: RefCell::default(),
            depth: Cell::new(0),
            steps: Cell::new(0),
            chains: Cell::new(0),
        }
    }

    /// Starts to count the steps again: one value that takes too many does not take those of another.
    pub(super) fn restart(&self) {
        self.steps.set(0);
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, expression: &'a Expression<'a>) -> Result<Value<'a>> {
        self.deeper(expression.span(), || self.expression(expression))
    }

    /// One step of the evaluation, one level deeper.
    pub(super) fn deeper<T>(&self, span: Span, step: impl FnOnce() -> Result<T>) -> Result<T> {
        self.steps.set(self.steps.get() + 1);
        if self.depth.get() >= DEPTH || self.steps.get() > STEPS {
            return Err(Failure::unreadable(span, "it is nested too deeply, or refers to itself"));
        }
        self.depth.set(self.depth.get() + 1);
        let value = step();
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn expression(&self, expression: &'a Expression<'a>) -> Result<Value<'a>> {
        match expression {
            Expression::StringLiteral(text) => Ok(Value::Text(text.value.to_string())),
            Expression::NumericLiteral(number) => Ok(Value::Number(number.value)),
            Expression::BooleanLiteral(value) => Ok(Value::Bool(value.value)),
            Expression::NullLiteral(_) => Ok(Value::Null),
            Expression::ObjectExpression(object) => Ok(Value::Object(object)),
            Expression::ArrayExpression(list) => Ok(Value::List(list)),
            Expression::Identifier(name) => self.name(name.name.as_str(), name.span),
            Expression::ImportMeta(_) => Ok(Value::Native(Native::ImportMeta)),
            Expression::ParenthesizedExpression(inner) => self.evaluate(&inner.expression),
            Expression::TSAsExpression(inner) => self.evaluate(&inner.expression),
            Expression::TSSatisfiesExpression(inner) => self.evaluate(&inner.expression),
            Expression::TSTypeAssertion(inner) => self.evaluate(&inner.expression),
            Expression::TSNonNullExpression(inner) => self.evaluate(&inner.expression),
            Expression::TSInstantiationExpression(inner) => self.evaluate(&inner.expression),
            Expression::AwaitExpression(inner) => self.evaluate(&inner.argument),
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::LogicalExpression(logical) => self.logical(logical),
            Expression::ConditionalExpression(conditional) => {
                let test = self.evaluate(&conditional.test)?;
                let chosen = if test.is_truthy() { &conditional.consequent } else { &conditional.alternate };
                self.evaluate(chosen)
            }
            Expression::UnaryExpression(unary) => self.unary(unary),
            Expression::BinaryExpression(binary) => self.binary(binary),
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => self.construct(new),
            Expression::ChainExpression(chain) => {
                self.chains.set(self.chains.get() + 1);
                let value = self.chain(&chain.expression);
                self.chains.set(self.chains.get() - 1);
                value
            }
            other => match other.as_member_expression() {
                Some(member) => self.member_expression(member),
                None => Err(Failure::unreadable(other.span(), format!("it is {}", kind_of(other)))),
            },
        }
    }

    fn chain(&self, element: &'a ChainElement<'a>) -> Result<Value<'a>> {
        match element {
            ChainElement::CallExpression(call) => self.call(call),
            ChainElement::TSNonNullExpression(inner) => self.evaluate(&inner.expression),
            other => match other.as_member_expression() {
                Some(member) => self.member_expression(member),
                None => Err(Failure::unreadable(other.span(), "Plimsoll does not know this expression")),
            },
        }
    }

    /// The value of a name: a constant of this file, an import, or a global.
    pub(super) fn name(&self, name: &'a str, span: Span) -> Result<Value<'a>> {
        if self.changes.has_name(name) && self.scope.bindings.contains_key(name) {
            return Err(Failure::unreadable(span, format!("`{name}` is changed after its declaration")));
        }
        match self.scope.bindings.get(name) {
            Some(Binding::Constant { init, steps }) => self.constant(*init, steps, span),
            Some(Binding::Opaque { what }) => Err(Failure::unreadable(span, format!("`{name}` is {what}"))),
            Some(Binding::Import { module, member, span }) => import(module, *member, *span),
            None => self.global(name, span),
        }
    }

    fn constant(
        &self,
        init: Option<&'a Expression<'a>>,
        steps: &[Step<'a>],
        span: Span,
    ) -> Result<Value<'a>> {
        let mut value = init.map_or(Ok(Value::Undefined), |init| self.evaluate(init))?;
        for step in steps {
            value = match step {
                Step::Member(name) => self.member(&value, name, span)?,
                Step::Default(default) if matches!(value, Value::Undefined) => self.evaluate(default)?,
                Step::Default(_) => value,
            };
        }
        Ok(value)
    }

    fn global(&self, name: &str, span: Span) -> Result<Value<'a>> {
        let text = |path: &Path| Ok(Value::Text(path.display().to_string()));
        let function = match name {
            "undefined" => return Ok(Value::Undefined),
            "NaN" => return Ok(Value::Number(f64::NAN)),
            "process" => return Ok(Value::Native(Native::Process)),
            "__dirname" => return text(self.file.parent().unwrap_or(&self.file)),
            "__filename" => return text(&self.file),
            "require" => Function::Require,
            "URL" => Function::Url,
            "String" => Function::Text,
            "Boolean" => Function::Bool,
            _ => return Err(Failure::unreadable(span, format!("`{name}` is not declared in this file"))),
        };
        Ok(Value::Native(Native::Function(function)))
    }

    fn logical(&self, logical: &'a LogicalExpression<'a>) -> Result<Value<'a>> {
        let left = self.evaluate(&logical.left)?;
        let goes_on = match logical.operator {
            LogicalOperator::Or => !left.is_truthy(),
            LogicalOperator::And => left.is_truthy(),
            LogicalOperator::Coalesce => left.is_nullish(),
        };
        if goes_on { self.evaluate(&logical.right) } else { Ok(left) }
    }

    fn unary(&self, unary: &'a UnaryExpression<'a>) -> Result<Value<'a>> {
        match unary.operator {
            UnaryOperator::LogicalNot => Ok(Value::Bool(!self.evaluate(&unary.argument)?.is_truthy())),
            UnaryOperator::Typeof => Ok(Value::Text(self.evaluate(&unary.argument)?.type_of().to_owned())),
            UnaryOperator::Void => Ok(Value::Undefined),
            UnaryOperator::UnaryNegation => match self.evaluate(&unary.argument)? {
                Value::Number(number) => Ok(Value::Number(-number)),
                _ => Err(Failure::unreadable(unary.span, "it converts a value into a number")),
            },
            _ => Err(Failure::unreadable(unary.span, "Plimsoll does not know this operator")),
        }
    }

    fn binary(&self, binary: &'a BinaryExpression<'a>) -> Result<Value<'a>> {
        let left = self.evaluate(&binary.left)?;
        let right = self.evaluate(&binary.right)?;
        let decided = |equal: Option<bool>| {
            equal.ok_or_else(|| Failure::unreadable(binary.span, "it compares values of different types"))
        };
        let result = match binary.operator {
            BinaryOperator::StrictEquality => decided(left.strictly_equals(&right))?,
            BinaryOperator::StrictInequality => !decided(left.strictly_equals(&right))?,
            BinaryOperator::Equality => decided(left.loosely_equals(&right))?,
            BinaryOperator::Inequality => !decided(left.loosely_equals(&right))?,
            BinaryOperator::Addition => return self.add(binary, &left, &right),
            _ => return Err(Failure::unreadable(binary.span, "Plimsoll does not know this operator")),
        };
        Ok(Value::Bool(result))
    }

    fn add(
        &self,
        binary: &'a BinaryExpression<'a>,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<Value<'a>> {
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => Ok(Value::Number(left + right)),
            (Value::Text(_), _) | (_, Value::Text(_)) => {
                let left = self.to_text(left, binary.left.span())?;
                Ok(Value::Text(left + &self.to_text(right, binary.right.span())?))
            }
            _ => Err(Failure::unreadable(binary.span, "it adds values that are no strings")),
        }
    }

    fn template(&self, template: &'a TemplateLiteral<'a>) -> Result<Value<'a>> {
        let mut result = String::new();
        for (at, part) in template.quasis.iter().enumerate() {
            result.push_str(part.value.cooked.unwrap_or(part.value.raw).as_str());
            if let Some(expression) = template.expressions.get(at) {
                result.push_str(&self.to_text(&self.evaluate(expression)?, expression.span())?);
            }
        }
        Ok(Value::Text(result))
    }

    /// The value as a part of a text.
    ///
    /// `undefined` is refused: JavaScript would write the word into the text, and Prisma would then look for a server
    /// of that name.
    pub(super) fn to_text(&self, value: &Value<'a>, span: Span) -> Result<String> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Number(number) => number_to_text(*number)
                .ok_or_else(|| Failure::unreadable(span, "it writes a number that large into a string")),
            Value::Native(Native::FileUrl(path)) => Ok(format!("file://{}", path.display())),
            Value::Undefined => {
                Err(Failure { span: range(span), reason: Reason::UndefinedInText(self.unset_in_words()) })
            }
            other => Err(Failure::unreadable(span, format!("{} becomes part of a string", other.kind()))),
        }
    }

    /// The variables that were asked for and are not set.
    pub(super) fn unset_in_words(&self) -> Option<String> {
        let unset = self.unset.borrow();
        let names: Vec<_> = unset.iter().map(|name| format!("`{}`", shown_variable(name))).collect();
        match names.as_slice() {
            [] => None,
            [name] => Some(format!("the environment variable {name} is not set")),
            _ => Some(format!("the environment variables {} are not set", names.join(", "))),
        }
    }
}

/// What an imported name stands for.
fn import<'a>(module: &str, member: Option<&str>, span: Span) -> Result<Value<'a>> {
    let unknown = || {
        let what = if module.starts_with('.') { "another file" } else { "another package" };
        Failure::unreadable(span, format!("it comes from `{module}`, which is {what}"))
    };
    let known = Module::named(module).ok_or_else(unknown)?;
    let native = member.map_or(Some(Native::Module(known)), |member| known.member(member));
    native.map(Value::Native).ok_or_else(unknown)
}

fn kind_of(expression: &Expression<'_>) -> &'static str {
    match expression {
        Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => "a function",
        Expression::ClassExpression(_) => "a class",
        Expression::ImportExpression(_) => "another file, imported while the config runs",
        Expression::AssignmentExpression(_) | Expression::UpdateExpression(_) => "an assignment",
        Expression::TaggedTemplateExpression(_) => "a call of a template function",
        Expression::RegExpLiteral(_) => "a regular expression",
        _ => "an expression that Plimsoll does not know",
    }
}
