//! What only the syntax of Rust shows: long functions, public items without words, `unwrap` outside of tests.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, TraitItemFn, Visibility};

use super::tree::{Finding, Source, Tree};

/// As many lines of code as a function may have; comments and empty lines do not count, as in clippy.
const MOST_LINES: usize = 60;

/// Checks every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let test_modules: Vec<String> = tree.rust().flat_map(test_modules).collect();
    let is_test =
        |file: &Source| file.is_test() || test_modules.iter().any(|module| belongs_to(file, module));
    tree.rust().flat_map(|file| check_file(file, usize::from(is_test(file)))).collect()
}

/// The paths, without `.rs`, of the modules that this file declares for tests only.
fn test_modules(file: &Source) -> Vec<String> {
    let items = syn::parse_file(&file.text).map_or_else(|_| Vec::new(), |syntax| syntax.items);
    let below = module_directory(&file.path);
    let declared = items.iter().filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() && module.attrs.iter().any(is_for_tests) => {
            Some(module)
        }
        _ => None,
    });
    declared.map(|module| format!("{below}/{}", module.ident)).collect()
}

/// Where a file's modules are: beside it if it is the root of a crate or a `mod.rs`, otherwise below its own name.
fn module_directory(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((directory, "lib" | "main" | "mod")) => directory,
        _ => stem,
    }
}

fn belongs_to(file: &Source, module: &str) -> bool {
    file.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn check_file(file: &Source, tests: usize) -> Vec<Finding> {
    let syntax = match syn::parse_file(&file.text) {
        Ok(syntax) => syntax,
        Err(error) => {
            return vec![Finding::new(
                &file.path,
                error.span().start().line,
                format!("is not Rust: {error}"),
            )];
        }
    };
    let mut reader = Reader { file, lines: file.text.lines().collect(), tests, findings: Vec::new() };
    reader.visit_file(&syntax);
    reader.findings
}

struct Reader<'file> {
    file: &'file Source,
    lines: Vec<&'file str>,
    /// How many tests, or modules of them, this place is inside of.
    tests: usize,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, span: Span, message: impl Into<String>) {
        self.findings.push(Finding::new(&self.file.path, span.start().line, message));
    }

    fn inside(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let is_test = usize::from(attributes.iter().any(is_for_tests));
        self.tests += is_test;
        visit(self);
        self.tests -= is_test;
    }

    fn check_length(&mut self, attributes: &[Attribute], name: &syn::Ident, body: &Block) {
        let (first, last) = (body.span().start().line, body.span().end().line);
        let inner = self.lines.get(first..last.saturating_sub(1)).unwrap_or_default();
        let count = inner.iter().map(|line| line.trim()).filter(|line| is_code(line)).count();
        if count > MOST_LINES && !attributes.iter().any(expects_length) {
            self.find(name.span(), format!("`{name}` has {count} lines of code, {MOST_LINES} are the most"));
        }
    }

    fn check_words(&mut self, visibility: &Visibility, attributes: &[Attribute], span: Span) {
        let is_public = matches!(visibility, Visibility::Public(_));
        if is_public
            && self.tests == 0
            && !attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
        {
            self.find(span, "a public item without a doc comment");
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Some((visibility, attributes)) = documented(item) {
            self.inside(attributes, |reader| reader.check_words(visibility, attributes, visibility.span()));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.inside(&module.attrs, |reader| visit::visit_item_mod(reader, module));
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.check_length(&function.attrs, &function.sig.ident, &function.block);
        self.inside(&function.attrs, |reader| visit::visit_item_fn(reader, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.check_length(&function.attrs, &function.sig.ident, &function.block);
        self.inside(&function.attrs, |reader| {
            reader.check_words(&function.vis, &function.attrs, function.sig.span());
            visit::visit_impl_item_fn(reader, function);
        });
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.check_length(&function.attrs, &function.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        // The type says what a field without a name is.
        if field.ident.is_some() {
            self.check_words(&field.vis, &field.attrs, field.span());
        }
        visit::visit_field(self, field);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" && call.args.is_empty() && self.tests == 0 {
            self.find(
                call.method.span(),
                "`unwrap` outside of tests: say with `expect` why it cannot happen",
            );
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The items that need words. `pub use` shows those of what it names, and a module in a file has its own.
fn documented(item: &Item) -> Option<(&Visibility, &[Attribute])> {
    Some(match item {
        Item::Const(item) => (&item.vis, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.attrs),
        Item::Fn(item) => (&item.vis, &item.attrs),
        Item::Mod(item) if item.content.is_some() => (&item.vis, &item.attrs),
        Item::Static(item) => (&item.vis, &item.attrs),
        Item::Struct(item) => (&item.vis, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.attrs),
        Item::Type(item) => (&item.vis, &item.attrs),
        _ => return None,
    })
}

fn is_code(line: &str) -> bool {
    !line.is_empty() && !line.starts_with("//")
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = attribute.path().segments.last().is_some_and(|segment| segment.ident == "test");
    is_test || (attribute.path().is_ident("cfg") && arguments(attribute) == "test")
}

fn expects_length(attribute: &Attribute) -> bool {
    let text = arguments(attribute);
    attribute.path().is_ident("expect") && text.contains("too_many_lines") && text.contains("reason")
}

fn arguments(attribute: &Attribute) -> String {
    attribute.meta.require_list().map_or_else(|_| String::new(), |list| list.tokens.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    fn function(lines: usize, attribute: &str) -> String {
        format!("{attribute}\nfn long() {{\n    // why\n\n{}}}\n", "    call();\n".repeat(lines))
    }

    #[test]
    fn a_long_function_is_found_unless_it_says_why() {
        assert_eq!(
            findings("a.rs", &function(61, "")),
            ["a.rs:2: `long` has 61 lines of code, 60 are the most"]
        );
        assert!(findings("a.rs", &function(60, "")).is_empty());
        let reason = "#[expect(clippy::too_many_lines, reason = \"a table\")]";
        assert!(findings("a.rs", &function(61, reason)).is_empty());
        assert_eq!(findings("a.rs", &function(61, "#[expect(clippy::too_many_lines)]")).len(), 1);
        assert_eq!(findings("a.rs", &format!("impl A {{ {} }}", function(61, ""))).len(), 1);
        assert_eq!(findings("a.rs", &format!("trait A {{ {} }}", function(61, ""))).len(), 1);
    }

    #[test]
    fn a_public_item_without_words_is_found() {
        for item in [
            "pub fn a() {}",
            "pub struct A;",
            "pub enum A {}",
            "impl A { pub fn a() {} }",
            "pub const A: u8 = 1;",
        ] {
            assert_eq!(findings("a.rs", item), ["a.rs:1: a public item without a doc comment"], "{item}");
            let documented = item.replace("pub", "/// Words.\npub");
            assert!(findings("a.rs", &documented).is_empty(), "{documented}");
        }
        assert_eq!(findings("a.rs", "struct A { pub b: u8 }").len(), 1);
        assert!(
            findings("a.rs", "struct T(pub u8); pub use a::b; pub mod c; pub(crate) fn d() {} fn e() {}")
                .is_empty()
        );
        assert!(findings("a.rs", "#[cfg(test)] mod tests { pub fn a() {} }").is_empty());
    }

    #[test]
    fn unwrap_is_found_outside_of_tests() {
        let text = "fn a() {\n    b()\n        .unwrap();\n}\n";
        assert_eq!(findings("src/a.rs", text).len(), 1);
        assert!(findings("src/a.rs", text)[0].starts_with("src/a.rs:3:"));
        assert!(findings("crates/x/tests/a.rs", text).is_empty());
        assert!(findings("src/a.rs", &format!("#[tokio::test] async {text}")).is_empty());
        assert!(findings("src/a.rs", &format!("#[cfg(test)] mod tests {{ {text} }}")).is_empty());
    }

    #[test]
    fn a_module_that_is_declared_for_tests_is_one() {
        let unwraps = "fn a() { b().unwrap(); }";
        let declares = "#[cfg(test)] mod tests; mod code;";
        for (parent, child, count) in [
            ("src/lib.rs", "src/tests.rs", 0),
            ("src/a/mod.rs", "src/a/tests/deep.rs", 0),
            ("src/a.rs", "src/a/tests.rs", 0),
            ("src/a.rs", "src/a/code.rs", 1),
            ("src/a.rs", "src/tests.rs", 1),
        ] {
            assert_eq!(check(&Tree::of(&[(parent, declares), (child, unwraps)])).len(), count, "{child}");
        }
    }

    #[test]
    fn a_file_that_is_not_rust_is_found() {
        assert_eq!(findings("a.rs", "fn {").len(), 1);
    }
}
