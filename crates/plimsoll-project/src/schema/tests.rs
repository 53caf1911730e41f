use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::testing::render;

fn source(text: &str) -> Source {
    Source { shown: "schema.prisma".to_owned(), directory: PathBuf::from("/app"), text: text.to_owned() }
}

fn schema(text: &str) -> Schema {
    read(&[source(text)], "schema.prisma").map_err(|error| render(&error)).unwrap()
}

fn refused(text: &str) -> String {
    render(&read(&[source(text)], "schema.prisma").unwrap_err())
}

fn text(value: Option<&Value>) -> &str {
    match value.map(|value| &value.shape) {
        Some(Shape::Text(text)) => text,
        other => panic!("not a text: {other:?}"),
    }
}

#[test]
fn the_datasource_is_found_among_everything_else() {
    let schema = schema(
        r#"/// datasource no { provider = "sqlite" }
generator client { provider = "prisma-client-js" /* } */ }
model datasource_ { id Int @id @default(dbgenerated("{\"}")) // }
  datasource String }
datasource /* here */ db
{
  provider   = "postgres" // datasource
  url        =
    "postgresql://u:p\"q@h/d"
  schemas    = [
    "a", // one
    "b",
  ]
  extensions = [postgis(version: "3", schema: "x"), hstore]
  @@whatever("x")
  relationMode = "prisma"
}
enum E { A B }
"#,
    );
    assert_eq!(schema.name, "db");
    assert_eq!(schema.provider, Provider::Postgresql);
    assert_eq!(schema.schemas, ["a", "b"]);
    assert_eq!(text(schema.url.as_ref()), "postgresql://u:p\"q@h/d");
    assert!(schema.direct_url.is_none());
}

#[test]
fn a_block_may_stand_in_one_line() {
    let schema = schema(r#"datasource d { provider = "sqlite" }"#);
    assert_eq!(schema.provider, Provider::Sqlite);
    assert!(schema.url.is_none());
}

#[test]
fn windows_line_ends_are_line_ends() {
    let schema = schema("datasource d {\r\n  provider = \"mysql\"\r\n  url = \"mysql://h/d\"\r\n}\r\n");
    assert_eq!(text(schema.url.as_ref()), "mysql://h/d");
}

#[test]
fn no_place_shows_a_url() {
    let schema = schema(
        "// url = \"mysql://a:hunter2@h/d\"\ndatasource d {\n provider = \"mysql\"\n url = \"hunter2\"\n}",
    );
    assert!(!schema.head().source().contains("hunter2"));
    assert!(schema.head().source().contains("provider = \"mysql\""));
}

#[test]
fn no_datasource() {
    assert_snapshot!(refused("model A { id Int }"), @r#"
    P1012: `schema.prisma` has no datasource block. (schema.prisma:1:1)
      | model A { id Int }
      | ^
      help: Add `datasource db { provider = "postgresql" }`, or name the schema that has one with `--schema`.
    "#);
    assert_snapshot!(render(&read(&[source(""), source("")], "prisma").unwrap_err()), @r#"
    P1012: `prisma` has no datasource block.
      help: Add `datasource db { provider = "postgresql" }`, or name the schema that has one with `--schema`.
    "#);
}

#[test]
fn two_datasources() {
    assert_snapshot!(refused("datasource a { provider = \"mysql\" }\ndatasource b { provider = \"mysql\" }"), @r#"
    P1012: You defined more than one datasource. Only one is allowed. (schema.prisma:2:1)
      | datasource b { provider = "mysql" }
      | ^^^^^^^^^^^^ the second one
      help: The first one is `a`. Delete one of them.
    "#);
}

#[test]
fn a_provider_that_is_missing_unknown_or_no_string() {
    assert_snapshot!(refused("datasource a {\n  url = \"x\"\n}"), @r#"
    P1012: Argument "provider" is missing in data source block "a". (schema.prisma:1:1)
      | datasource a {
      | ^^^^^^^^^^^^
      help: Add the kind of database, such as `provider = "postgresql"`.
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"oracle\"\n}"), @r#"
    P1012: Datasource provider not known: "oracle". (schema.prisma:2:14)
      |   provider = "oracle"
      |              ^^^^^^^^
      help: Prisma knows postgresql, mysql, sqlite, cockroachdb, sqlserver and mongodb.
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = env(\"PROVIDER\")\n}"), @r#"
    P1012: The `provider` of a datasource has to be a string. (schema.prisma:2:14)
      |   provider = env("PROVIDER")
      |              ^^^^^^^^^^^^^^^
      help: Prisma takes no `env(…)` and no list there: write `provider = "postgresql"`.
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql://u:hunter2@h/d\"\n}"), @r#"
    P1012: Datasource provider not known: "***". (schema.prisma:2:14)
      |   provider = "*********************"
      |              ^^^^^^^^^^^^^^^^^^^^^^^
      help: Prisma knows postgresql, mysql, sqlite, cockroachdb, sqlserver and mongodb.
    "#);
}

#[test]
fn a_property_that_stands_twice() {
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\"\n  url = \"x\"\n  url = \"y\"\n}"), @r#"
    P1012: `url` stands twice in the datasource `a`. (schema.prisma:4:3)
      |   url = "*"
      |   ^^^^^^^^^
    "#);
}

#[test]
fn what_cannot_be_parsed() {
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\"\n"), @r#"
    P1012: The `datasource` block is not closed: a `}` is missing. (schema.prisma:1:1)
      | datasource a {
      | ^^^^^^^^^^^^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider \"mysql\"\n}"), @r#"
    P1012: `provider` is followed by no `=`. (schema.prisma:2:3)
      |   provider "*****"
      |   ^^^^^^^^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider =\n}"), @r#"
    P1012: `provider` has no value that can be read. (schema.prisma:2:3)
      |   provider =
      |   ^^^^^^^^^^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\n}"), @r#"
    P1012: The string is not closed: a `"` is missing. (schema.prisma:2:14)
      |   provider = "mysql
      |              ^^^^^^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\"\n  schemas = [\"a\"\n}"), @r#"
    P1012: A `]` is missing. (schema.prisma:4:1)
      | }
      | ^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\"\n  schemas = \"a\"\n}"), @r#"
    P1012: `schemas` has to be a list of strings. (schema.prisma:3:13)
      |   schemas = "a"
      |             ^^^
    "#);
    assert_snapshot!(refused("datasource a {\n  provider = \"mysql\"\n  schemas = [\"a\", b]\n}"), @r#"
    P1012: `schemas` has to be a list of strings. (schema.prisma:3:19)
      |   schemas = ["a", b]
      |                   ^
    "#);
}

/// A schema of blocks in any order, with the datasource's URL among comments and strings that look like structure.
fn schema_text() -> impl Strategy<Value = (String, String)> {
    let noise = prop_oneof![
        Just("// { \" datasource x {\n".to_owned()),
        Just("/* } \" */\n".to_owned()),
        Just("model A {\n  id Int @id // }\n  b String @default(\"}{\\\"\")\n}\n".to_owned()),
        Just("enum E {\n  A\n}\n".to_owned()),
        Just("generator g {\n  provider = \"x\"\n  l = [\"a\",\n  \"}\"]\n}\n".to_owned()),
        Just("\r\n\u{feff}\t".to_owned()),
    ];
    let noise = proptest::collection::vec(noise, 0..5).prop_map(|parts| parts.concat());
    (noise.clone(), noise, "[ -~äß]{1,20}").prop_map(|(before, after, url)| {
        let escaped = url.replace('\\', "\\\\").replace('"', "\\\"");
        let block = format!("datasource db {{\n  url = \"{escaped}\" // \"\n  provider = \"mysql\"\n}}\n");
        (before + &block + &after, url)
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(datasource|\\PC|[\n\"{}\\[\\]()=,:/*@ ]|provider|env){0,60}") {
        let _ = read(&[source(&text)], "x").map_err(|error| render(&error));
        let block = format!("datasource a {{ {text} }}");
        let _ = read(&[source(&block)], "x").map_err(|error| render(&error));
    }

    #[test]
    fn the_url_is_found_whatever_stands_around_it((schema_source, url) in schema_text()) {
        let schema = schema(&schema_source);
        prop_assert_eq!(text(schema.url.as_ref()), url);
    }
}
