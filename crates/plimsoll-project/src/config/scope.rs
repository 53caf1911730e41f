//! The names that a config declares at its top level, and what it exports.

use std::collections::{BTreeMap, BTreeSet};

use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, Declaration, ExportDefaultDeclarationKind, Expression,
    ImportDeclaration, ImportDeclarationSpecifier, Program, Statement, VariableDeclaration,
};
use oxc_span::{GetSpan, Span};

/// Deeper than any real destructuring.
const PATTERN_DEPTH: usize = 16;

/// What a name stands for.
pub(super) enum Binding<'a> {
    /// `const name = init`, or a part of it.
    Constant { init: Option<&'a Expression<'a>>, steps: Vec<Step<'a>> },
    /// `import … from "module"`: a member of it, or (`None`) all of it.
    Import { module: &'a str, member: Option<&'a str>, span: Span },
    /// A function, a class, or a pattern that is not followed.
    Opaque { what: &'static str },
}

/// One step from the value of a declaration to the value of a name in its pattern.
#[derive(Clone)]
pub(super) enum Step<'a> {
    Member(String),
    Default(&'a Expression<'a>),
}

/// The names of a file and its export.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) bindings: BTreeMap<&'a str, Binding<'a>>,
    /// Where names are declared.
    pub(super) declared: BTreeSet<u32>,
    pub(super) export: Option<Export<'a>>,
}

/// What a config exports.
pub(super) enum Export<'a> {
    Expression(&'a Expression<'a>),
    /// `export { name as default }`
    Name(&'a str, Span),
    /// A function or a class.
    Opaque(Span),
}

impl<'a> Scope<'a> {
    /// Collects the names and the export of a file.
    pub(super) fn of(program: &'a Program<'a>) -> Self {
        let mut scope = Self::default();
        for statement in &program.body {
            scope.statement(statement);
        }
        scope
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(declaration) => self.variables(declaration),
            Statement::FunctionDeclaration(function) => self.opaque(function.id.as_ref(), "a function"),
            Statement::ClassDeclaration(class) => self.opaque(class.id.as_ref(), "a class"),
            Statement::ImportDeclaration(import) => self.import(import),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::VariableDeclaration(declaration) => self.variables(declaration),
                Declaration::FunctionDeclaration(function) => self.opaque(function.id.as_ref(), "a function"),
                _ => {}
            },
            Statement::ExportDefaultDeclaration(export) => self.export = Some(default(&export.declaration)),
            Statement::TSExportAssignment(export) => {
                self.export = Some(Export::Expression(&export.expression));
            }
            Statement::ExportNamedDeclaration(export) => {
                let found = export.specifiers.iter().find(|specifier| specifier.exported.name() == "default");
                if let Some(specifier) = found {
                    self.export = specifier
                        .local
                        .identifier_name()
                        .map(|name| Export::Name(name.as_str(), specifier.span));
                }
            }
            Statement::ExpressionStatement(statement) => self.module_exports(&statement.expression),
            _ => {}
        }
    }

    /// `module.exports = …` and `exports.default = …`.
    fn module_exports(&mut self, expression: &'a Expression<'a>) {
        let Expression::AssignmentExpression(assignment) = expression else { return };
        let AssignmentTarget::StaticMemberExpression(target) = &assignment.left else { return };
        let member = target.property.name.as_str();
        let exports = match &target.object {
            Expression::Identifier(object) => {
                matches!((object.name.as_str(), member), ("module", "exports") | ("exports", "default"))
            }
            Expression::StaticMemberExpression(inner) => {
                member == "default"
                    && inner.property.name == "exports"
                    && inner.object.is_specific_id("module")
            }
            _ => false,
        };
        if exports {
            self.export = Some(Export::Expression(&assignment.right));
        }
    }

    fn variables(&mut self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            self.pattern(&declarator.id, declarator.init.as_ref(), &[]);
        }
    }

    fn pattern(
        &mut self,
        pattern: &'a BindingPattern<'a>,
        init: Option<&'a Expression<'a>>,
        steps: &[Step<'a>],
    ) {
        let with = |step| steps.iter().cloned().chain([step]).collect::<Vec<_>>();
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                self.declared.insert(name.span.start);
                let binding = Binding::Constant { init, steps: steps.to_vec() };
                self.bind(name.name.as_str(), binding);
            }
            BindingPattern::AssignmentPattern(inner) => {
                self.pattern(&inner.left, init, &with(Step::Default(&inner.right)));
            }
            BindingPattern::ObjectPattern(object) if steps.len() < PATTERN_DEPTH => {
                for property in &object.properties {
                    match property.key.static_name() {
                        Some(name) if !property.computed => {
                            let steps = with(Step::Member(name.into_owned()));
                            self.pattern(&property.value, init, &steps);
                        }
                        _ => self.opaque_pattern(&property.value),
                    }
                }
                if let Some(rest) = &object.rest {
                    self.opaque_pattern(&rest.argument);
                }
            }
            BindingPattern::ObjectPattern(_) | BindingPattern::ArrayPattern(_) => {
                self.opaque_pattern(pattern);
            }
        }
    }

    fn opaque_pattern(&mut self, pattern: &'a BindingPattern<'a>) {
        for name in pattern.get_binding_identifiers() {
            self.opaque(Some(name), "part of a pattern that Plimsoll does not follow");
        }
    }

    fn opaque(&mut self, name: Option<&'a oxc_ast::ast::BindingIdentifier<'a>>, what: &'static str) {
        if let Some(name) = name {
            self.declared.insert(name.span.start);
            self.bind(name.name.as_str(), Binding::Opaque { what });
        }
    }

    /// A name that is declared twice (`var`) has the value that control flow gives it.
    fn bind(&mut self, name: &'a str, binding: Binding<'a>) {
        if self.bindings.insert(name, binding).is_some() {
            self.bindings.insert(name, Binding::Opaque { what: "declared more than once" });
        }
    }

    fn import(&mut self, import: &'a ImportDeclaration<'a>) {
        if import.import_kind.is_type() {
            return;
        }
        let module = import.source.value.as_str();
        for specifier in import.specifiers.iter().flatten() {
            let (local, member) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    (&one.local, one.imported.identifier_name().map(|name| name.as_str()))
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => (&one.local, Some("default")),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, None),
            };
            self.declared.insert(local.span.start);
            self.bind(local.name.as_str(), Binding::Import { module, member, span: import.span });
        }
    }
}

fn default<'a>(declaration: &'a ExportDefaultDeclarationKind<'a>) -> Export<'a> {
    declaration.as_expression().map_or_else(|| Export::Opaque(declaration.span()), Export::Expression)
}
