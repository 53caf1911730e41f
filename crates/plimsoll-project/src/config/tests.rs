use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::render;

fn config(source: &str, variables: &[(&str, &str)]) -> Result<Config, Diagnostic> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = Environment::new(variables.collect::<BTreeMap<_, _>>());
    let cwd = Path::new("/nowhere/app");
    read_text(source, &cwd.join("prisma.config.ts"), cwd, environment).map(|(config, _)| config)
}

fn url_of(expression: &str, variables: &[(&str, &str)]) -> Result<String, Code> {
    let source = format!("export default {{ datasource: {{ url: {expression} }} }}");
    let config = config(&source, variables).map_err(|error| render(&error)).unwrap();
    config.url.map(|setting| setting.unwrap().value).map_err(|error| error.code)
}

#[test]
fn javascript_decides_what_is_true() {
    let variables = [("EMPTY", ""), ("SET", "x")];
    let cases = [
        ("process.env.EMPTY || 'a'", "a"),
        ("process.env.EMPTY ?? 'a'", ""),
        ("process.env.UNSET ?? 'a'", "a"),
        ("process.env.SET && 'a'", "a"),
        ("!process.env.UNSET ? 'a' : 'b'", "a"),
        ("process.env.SET === 'x' ? 'a' : 'b'", "a"),
        ("process.env.SET !== 'x' ? 'a' : 'b'", "b"),
        ("process.env.UNSET == null ? 'a' : 'b'", "a"),
        ("typeof process.env.UNSET === 'undefined' ? 'a' : 'b'", "a"),
        ("Boolean(process.env.EMPTY) ? 'a' : 'b'", "b"),
        ("0 || 'a'", "a"),
        ("void 0 ?? 'a'", "a"),
        ("'a' + 1 + `b${2}${true}`", "a1b2true"),
        ("process.env['SET']!.trim()", "x"),
        ("process.env.SET?.trim()", "x"),
        ("process.env.UNSET?.trim() ?? 'a'", "a"),
        ("String(process.env.SET)", "x"),
        ("'a\\u0062' + \"\\x63\"", "abc"),
        ("(0, 1) as never", "!"),
        ("({ a: { b: 'c' } }).a.b", "c"),
        ("({ ...{ a: 'b' }, c: 1 }).a", "b"),
        ("({ a: 'b', ...{ a: 'c' } })['a']", "c"),
        ("({ a: 'b', ...{ x: 'c' } })[`a`]", "b"),
        ("({ ['a' + 'b']: 'c' }).ab", "c"),
    ];
    for (expression, expected) in cases {
        let expected = match expected {
            "" => Err(Code::UrlMissing),
            "!" => Err(Code::ConfigUnreadable),
            text => Ok(text.to_owned()),
        };
        assert_eq!(url_of(expression, &variables), expected, "{expression}");
    }
}

#[test]
fn what_is_assigned_to_later_is_not_read_off_its_declaration() {
    let changed = [
        "let u = 'a'; u = 'b';",
        "let u = 'a'; if (process.env.X) { u += 'b' }",
        "let u = 'a'; function f() { [u] = ['b'] }",
        "let u = 'a'; ({ u } = process.env);",
        "let u = 'a'; for (u of ['b']) {}",
        "let u = 'a'; for ([u] of [['b']]) {}",
        "let u = 'a'; for (u.x in {}) {}",
        "let u = 1; u++;",
        "let u = 1; --u;",
        "var u = 'a'; var u = 'b';",
        "function u() {}",
        "class u {}",
        "const [u] = ['a'];",
        "const { ...u } = process.env;",
        "import u from './other'",
        "import { u } from 'other'",
        "import * as u from 'other'",
    ];
    for declaration in changed {
        let source = format!("{declaration}\nexport default {{ datasource: {{ url: u }} }}");
        let config = config(&source, &[]).map_err(|error| render(&error)).unwrap();
        let error = config.url.err().unwrap_or_else(|| panic!("{declaration}"));
        assert_eq!(error.code, Code::ConfigUnreadable, "{declaration}");
    }
    let members = [
        "const o = { u: 'a' }; o.u = 'b';",
        "const o = { u: 'a' }; o['u'] ||= 'b';",
        "const o = { u: 'a' }; delete o.u;",
        "const o = { u: 'a' }; Object.assign(o, { u: 'b' });",
    ];
    for declaration in members {
        let source = format!("{declaration}\nexport default {{ datasource: {{ url: o.u }} }}");
        assert!(config(&source, &[]).unwrap().url.is_err(), "{declaration}");
    }
    let variables = [
        "process.env.U = 'b';",
        "process.env['U'] ??= 'b';",
        "delete process.env.U;",
        "Object.assign(process.env, {});",
        "process.env[name] = 'b';",
    ];
    for statement in variables {
        for url in ["process.env.U", "env('U')"] {
            let import = "import { env } from 'prisma/config';";
            let source = format!("{import}{statement}\nexport default {{ datasource: {{ url: {url} }} }}");
            assert!(config(&source, &[("U", "a")]).unwrap().url.is_err(), "{statement}");
        }
    }
}

#[test]
fn what_is_not_assigned_to_is_read() {
    let declarations = [
        "let u = 'a'; let v = 'b'; v = u;",
        "var u: string = 'a'; const w = { u: 1 };",
        "const u = 'a' as const; if (u === 'b') { throw new Error(u) }",
        "const { u = 'a' } = process.env;",
        "const { u = 'a' }: { u?: string } = process.env;",
        "const v: [u: string] = ['b'], u = 'a'; for (const u of []) {}",
        "const { x: u } = { x: 'a' };",
        "const { x: { y: u } } = { x: { y: 'a' } };",
        "const o = { x: 'a' }; const u = o.x;",
        "export const u = 'a';",
        "type T = { b: string }; const u = <string>'a';",
        "enum E { A = 1 } const u = 'a' satisfies string;",
    ];
    for declaration in declarations {
        let source = format!("{declaration}\nexport default {{ datasource: {{ url: u }} }}");
        let config = config(&source, &[]).map_err(|error| render(&error)).unwrap();
        let url = config.url.map_err(|error| render(&error)).unwrap().unwrap();
        assert_eq!(url.value, "a", "{declaration}");
    }
}

#[test]
fn no_text_exhausts_the_stack() {
    let nested = |open: &str, close: &str, times: usize| {
        format!("export default {}1{}", open.repeat(times), close.repeat(times))
    };
    let sources = [
        nested("(", ")", 30_000),
        nested("[", "]", 30_000),
        nested("[", "]", 150),
        nested("!", "", 60_000),
        nested("- ", "", 30_000),
        nested("typeof ", "", 9_000),
        nested("a=>", "", 20_000),
        nested("1?1:", "", 15_000),
        nested("a=", "", 30_000),
        nested("", "+1", 30_000),
        nested("", ".a", 30_000),
        nested("", "??1", 20_000),
        nested("", " as A", 12_000),
        nested("await ", "", 10_000),
        nested("new ", "", 15_000),
        nested("<A>", "", 20_000),
        "if(1)".repeat(12_000) + ";",
        "a:".repeat(30_000) + ";",
        "type A = ".to_owned() + &"keyof ".repeat(10_000) + "B",
        "if(1);else ".repeat(5_000) + ";",
        "const a = b; const b = a; export default a".to_owned(),
        "const a = { ...a }; export default a".to_owned(),
        "const a = `${b}${b}`, b = `${c}${c}`, c = `${a}`; export default { datasource: { url: a } }"
            .to_owned(),
        " ".repeat(LENGTH + 1),
    ];
    for source in sources {
        if let Ok(config) = config(&source, &[]) {
            assert!(!matches!(config.url, Ok(Some(_))));
        }
    }
}

#[test]
fn a_text_that_doubles_itself_ends() {
    let mut source = "const a0 = 'xxxxxxxxxxxxxxxx';\n".to_owned();
    for n in 1..60 {
        source = format!("{source}const a{n} = a{0} + a{0};\n", n - 1);
    }
    let config = config(&(source + "export default { datasource: { url: a59 } }"), &[]).unwrap();
    assert_eq!(config.url.err().map(|error| error.code), Some(Code::ConfigUnreadable));
}

#[test]
fn a_value_that_takes_too_many_steps_does_not_take_those_of_another() {
    let cycle = "const a = { ...b }, b = { ...a, ...a };";
    let source = format!("{cycle}\nexport default {{ schema: a.x, datasource: {{ url: 'u' }} }}");
    let config = config(&source, &[]).unwrap();
    assert!(config.schema.is_err());
    assert_eq!(config.url.map(|url| url.unwrap().value).ok().as_deref(), Some("u"));
}

#[test]
fn a_byte_order_mark_moves_no_place() {
    let config = config("\u{feff}export default { datasource: { url: f() } }", &[]).unwrap();
    let place = config.url.err().and_then(|error| error.place).unwrap();
    assert_eq!(&place.source()[place.span()], "f()");
}

#[test]
fn no_string_is_shown() {
    let source = r#"
import { env } from 'prisma/config'
const fs = require("node:fs"), schema = './a/b.prisma', pattern = /hunter2/
// postgresql://a@hunter2
/* mysql://h?p=hunter2
 */
const all = "hunter2" + 'hunter2' + `hunter2` + `a:hunter2@${env('DATABASE_URL')}hunter2${1}hunter2`
export default { datasource: { url: f('hunter2') } }
"#;
    let shown = config(source, &[]).unwrap().url.err().and_then(|error| error.place).unwrap();
    let shown = shown.source();
    assert!(!shown.contains("hunter2"), "{shown}");
    for kept in ["'prisma/config'", "\"node:fs\"", "'./a/b.prisma'", "'DATABASE_URL'", "${1}", "`"] {
        assert!(shown.contains(kept), "{kept} in {shown}");
    }
    assert_eq!(shown.len(), source.len());
    let broken = source.replace("export default", "export default default");
    let error = config(&broken, &[]).err().unwrap();
    assert!(!render(&error).contains("hunter2"));
    assert!(!error.place.unwrap().source().replace("/hunter2/", "").contains("hunter2"));
}

#[test]
fn no_value_of_a_variable_is_shown() {
    let expressions = [
        "process.env[process.env.SECRET]",
        "`${process.env[process.env.SECRET]}`",
        "({})[process.env.SECRET]",
        "path[process.env.SECRET]",
        "process.env.SECRET[process.env.SECRET]",
        "undefined[process.env.SECRET]",
        "env(process.env.SECRET)",
        "env(`${process.env.SECRET}`)",
        "require(process.env.SECRET)",
        "new URL(process.env.SECRET)",
        "process.env.SECRET.replace('a', 'b')",
        "process.env.SECRET == 1",
        "[process.env.SECRET]",
        "{ [process.env.SECRET]: f() }",
        "f(process.env.SECRET)",
    ];
    for expression in expressions {
        let import = "import { env } from 'prisma/config'; import path from 'path'";
        let source = format!("{import}\nexport default {{ datasource: {{ url: {expression} }} }}");
        let config = config(&source, &[("SECRET", "hunter2")]).map_err(|error| render(&error)).unwrap();
        let error = config.url.map_err(|error| render(&error)).err();
        let error = error.unwrap_or_else(|| panic!("{expression} is read"));
        assert!(!error.contains("hunter2"), "{error}");
    }
}

/// Expressions of `||`, `??`, `&&`, `!` and `? :` with what they are, by a model that shares nothing with the crate.
#[derive(Clone, Debug)]
enum Model {
    Undefined,
    Null,
    Text(String),
    Env(u8),
    Not(Box<Model>),
    Or(Box<Model>, Box<Model>),
    And(Box<Model>, Box<Model>),
    Coalesce(Box<Model>, Box<Model>),
    If(Box<Model>, Box<Model>, Box<Model>),
    Same(Box<Model>, Box<Model>, Box<Model>, Box<Model>),
}

#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Undefined,
    Null,
    Bool(bool),
    Text(String),
}

const VARIABLES: [(&str, &str); 2] = [("V0", "set"), ("V1", "")];

impl Model {
    fn source(&self) -> String {
        match self {
            Self::Undefined => "undefined".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Text(text) => format!("\"{text}\""),
            Self::Env(n) => format!("process.env.V{n}"),
            Self::Not(a) => format!("!({})", a.source()),
            Self::Or(a, b) => format!("(({}) || ({}))", a.source(), b.source()),
            Self::And(a, b) => format!("({}) && ({})", a.source(), b.source()),
            Self::Coalesce(a, b) => format!("(({}) ?? ({})!)", a.source(), b.source()),
            Self::If(a, b, c) => format!("(({}) ? {} : {})", a.source(), b.source(), c.source()),
            Self::Same(a, b, c, d) => {
                format!("(({}) === ({}) ? {} : {})", a.source(), b.source(), c.source(), d.source())
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let truthy = |outcome: &Outcome| match outcome {
            Outcome::Bool(value) => *value,
            Outcome::Text(text) => !text.is_empty(),
            Outcome::Undefined | Outcome::Null => false,
        };
        match self {
            Self::Undefined => Outcome::Undefined,
            Self::Null => Outcome::Null,
            Self::Text(text) => Outcome::Text(text.clone()),
            Self::Env(n) => VARIABLES
                .get(usize::from(*n))
                .map_or(Outcome::Undefined, |(_, value)| Outcome::Text((*value).to_owned())),
            Self::Not(a) => Outcome::Bool(!truthy(&a.outcome())),
            Self::Or(a, b) => Some(a.outcome()).filter(truthy).unwrap_or_else(|| b.outcome()),
            Self::And(a, b) => Some(a.outcome()).filter(|a| !truthy(a)).unwrap_or_else(|| b.outcome()),
            Self::Coalesce(a, b) => match a.outcome() {
                Outcome::Undefined | Outcome::Null => b.outcome(),
                other => other,
            },
            Self::If(a, b, c) => {
                if truthy(&a.outcome()) {
                    b.outcome()
                } else {
                    c.outcome()
                }
            }
            Self::Same(a, b, c, d) => {
                if a.outcome() == b.outcome() {
                    c.outcome()
                } else {
                    d.outcome()
                }
            }
        }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        Just(Model::Undefined),
        Just(Model::Null),
        "[a-z ]{0,3}".prop_map(Model::Text),
        (0_u8..3).prop_map(Model::Env),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(Model::Not),
            (boxed(), boxed()).prop_map(|(a, b)| Model::Or(a, b)),
            (boxed(), boxed()).prop_map(|(a, b)| Model::And(a, b)),
            (boxed(), boxed()).prop_map(|(a, b)| Model::Coalesce(a, b)),
            (boxed(), boxed(), boxed()).prop_map(|(a, b, c)| Model::If(a, b, c)),
            (boxed(), boxed(), boxed(), boxed()).prop_map(|(a, b, c, d)| Model::Same(a, b, c, d)),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_agrees_with_the_model(model in model()) {
        let expected = match model.outcome() {
            Outcome::Text(text) if !text.is_empty() => Ok(text),
            Outcome::Text(_) | Outcome::Undefined => Err(Code::UrlMissing),
            Outcome::Null | Outcome::Bool(_) => Err(Code::ConfigUnreadable),
        };
        prop_assert_eq!(url_of(&model.source(), &VARIABLES), expected);
    }

    #[test]
    fn any_text_is_read_or_refused(
        source in "(export default |datasource|: |url|process\\.env|env\\('X'\\)|[\\[\\]{}().,;=!?&|+`'\"$ \n]|\\PC){0,40}"
    ) {
        if let Ok(config) = config(&source, &[]) {
            let _ = config.url.map_err(|error| render(&error));
            let _ = config.external_tables.map_err(|error| render(&error));
        }
    }

    #[test]
    fn any_expression_is_read_or_refused(
        expression in "(a|b|process\\.env|\\.A|\\['A'\\]|\\(|\\)|\\?\\.|!|`\\$\\{|\\}`|'x'| \\?\\? | \\|\\| | \\+ | \\? | : |require\\('path'\\)|\\.join\\(|, )(a|'x'|\\.A|\\(|\\)| \\+ |,|process\\.env|`){0,12}"
    ) {
        let source = format!("const a = {{ A: 'x' }}, b = process.env;\nexport default {{ datasource: {{ url: {expression} }} }}");
        if let Ok(config) = config(&source, &[("A", "v")]) {
            let _ = config.url.map_err(|error| render(&error));
        }
    }
}
