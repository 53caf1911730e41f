//! What a config does before it exports anything: load `.env` files with the npm package `dotenv`.

use std::path::{Path, PathBuf};

use oxc_ast::ast::{CallExpression, Expression, Program, Statement};

use super::evaluate::Evaluator;
use super::value::{Function, Native, Value};
use crate::display::absolute;
use crate::dotenv;

/// Deeper than any config nests its statements.
const DEPTH: u32 = 32;

/// Which files a call of `dotenv.config` loads, and how.
struct Load {
    files: Vec<String>,
    overrides: Overrides,
}

/// Whether a file wins over the environment, as `override: true` wants it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overrides {
    Never,
    Always,
}

/// Runs the effects of a config on the evaluator's environment, and says which files were loaded.
pub(super) fn run<'a>(evaluator: &Evaluator<'a>, program: &'a Program<'a>) -> Vec<PathBuf> {
    let mut effects = Effects { evaluator, loaded: Vec::new() };
    // Imports run before everything else, wherever they stand.
    for statement in &program.body {
        if let Statement::ImportDeclaration(import) = statement
            && is_dotenv_config(import.source.value.as_str())
        {
            effects.load(&effects.by_import());
        }
    }
    for statement in &program.body {
        effects.statement(statement, DEPTH);
    }
    effects.loaded
}

fn is_dotenv_config(specifier: &str) -> bool {
    matches!(specifier, "dotenv/config" | "dotenv/config.js")
}

struct Effects<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    loaded: Vec<PathBuf>,
}

impl<'a> Effects<'_, 'a> {
    fn statement(&mut self, statement: &'a Statement<'a>, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        self.evaluator.restart();
        match statement {
            Statement::ExpressionStatement(statement) => self.expression(&statement.expression, depth),
            Statement::VariableDeclaration(declaration) => {
                for init in declaration.declarations.iter().filter_map(|declarator| declarator.init.as_ref())
                {
                    self.expression(init, depth);
                }
            }
            Statement::BlockStatement(block) => {
                block.body.iter().for_each(|statement| self.statement(statement, depth));
            }
            Statement::TryStatement(statement) => {
                statement.block.body.iter().for_each(|statement| self.statement(statement, depth));
            }
            Statement::IfStatement(statement) => {
                // A test that cannot be read is taken for true: a file that is not there loads nothing.
                let taken = self.evaluator.evaluate(&statement.test).map_or(true, |test| test.is_truthy());
                match (&statement.alternate, taken) {
                    (_, true) => self.statement(&statement.consequent, depth),
                    (Some(alternate), false) => self.statement(alternate, depth),
                    (None, false) => {}
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expression: &'a Expression<'a>, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let Expression::CallExpression(call) = expression.get_inner_expression() else { return };
        if let Some(required) = call.common_js_require() {
            if is_dotenv_config(required.value.as_str()) {
                self.load(&self.by_import());
            }
            return;
        }
        match self.evaluator.evaluate(&call.callee) {
            Ok(Value::Native(Native::Function(Function::Dotenv))) => return self.load(&self.by_call(call)),
            Ok(Value::Native(Native::Function(Function::LoadEnvFile))) => {
                return self.load(&self.by_node(call));
            }
            _ => {}
        }
        // `expand(dotenv.config())`
        for argument in call.arguments.iter().filter_map(|argument| argument.as_expression()) {
            self.expression(argument, depth);
        }
    }

    /// `import "dotenv/config"` takes its options from the environment.
    fn by_import(&self) -> Load {
        let environment = self.evaluator.environment.borrow();
        let file = environment.get("DOTENV_CONFIG_PATH").unwrap_or(".env").to_owned();
        let overrides = environment.get("DOTENV_CONFIG_OVERRIDE").is_some_and(|value| value == "true");
        Load { files: vec![file], overrides: if overrides { Overrides::Always } else { Overrides::Never } }
    }

    /// `dotenv.config({ path, override })`; an option that cannot be read is taken for missing.
    fn by_call(&self, call: &'a CallExpression<'a>) -> Load {
        let options = call.arguments.first().and_then(|first| first.as_expression());
        let option = |name: &str| {
            let Ok(Value::Object(object)) = self.evaluator.evaluate(options?) else { return None };
            self.evaluator.property(object, name).ok().flatten()
        };
        let files = match option("path") {
            Some((Value::List(list), _)) => {
                let elements = list.elements.iter().filter_map(|element| element.as_expression());
                elements.filter_map(|element| self.text(&self.evaluator.evaluate(element).ok()?)).collect()
            }
            Some((value, _)) => self.text(&value).into_iter().collect(),
            None => vec![".env".to_owned()],
        };
        let overrides = option("override").is_some_and(|(value, _)| value.is_truthy());
        Load { files, overrides: if overrides { Overrides::Always } else { Overrides::Never } }
    }

    /// `process.loadEnvFile(path)` of Node, whose grammar is that of dotenv.
    fn by_node(&self, call: &'a CallExpression<'a>) -> Load {
        let path = call.arguments.first().and_then(|first| first.as_expression());
        let path = path.map_or(Ok(Value::Undefined), |path| self.evaluator.evaluate(path));
        let file = path.ok().and_then(|path| self.text(&path));
        Load { files: file.into_iter().collect(), overrides: Overrides::Never }
    }

    fn text(&self, value: &Value<'a>) -> Option<String> {
        match value {
            Value::Undefined => Some(".env".to_owned()),
            value => self.evaluator.to_text(value, oxc_span::Span::default()).ok(),
        }
    }

    /// A file that cannot be read is left out, as dotenv does.
    fn load(&mut self, load: &Load) {
        for file in &load.files {
            let path = absolute(&self.evaluator.cwd, Path::new(file.strip_prefix("file://").unwrap_or(file)));
            let Ok(bytes) = crate::file::read(&path) else { continue };
            let mut environment = self.evaluator.environment.borrow_mut();
            for (name, value) in dotenv::parse(&String::from_utf8_lossy(&bytes)) {
                match load.overrides {
                    Overrides::Never => environment.add(&name, &value),
                    Overrides::Always => environment.set(&name, &value),
                }
            }
            self.loaded.push(path);
        }
    }
}
