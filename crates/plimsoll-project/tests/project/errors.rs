//! Every error that a person can see.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::support::{Layout, SEVEN, SIX, URL};
use insta::assert_snapshot;

fn with_schema(text: &str) -> Layout {
    Layout::new().file("prisma/schema.prisma", text)
}

fn with_config(text: &str) -> Layout {
    with_schema(SEVEN).file("prisma.config.ts", text)
}

#[test]
fn no_schema() {
    assert_snapshot!(Layout::new().refused(), @r#"
    PLM101: Could not find Prisma Schema that is required for this command.
      help: schema.prisma: file not found
      help: prisma/schema.prisma: file not found
      help: prisma.config.*: not found in [app]
      help: package.json: not found in this directory or above it
      help: Say where it is with `--schema` (PLIMSOLL_SCHEMA), or start plimsoll in the directory of the project.
    "#);
    assert_snapshot!(Layout::new().file("package.json", "{}").file("schema.prisma/x", "").refused(), @r#"
    PLM101: Could not find Prisma Schema that is required for this command.
      help: schema.prisma: is not a file
      help: prisma/schema.prisma: file not found
      help: prisma.config.*: not found in [app]
      help: package.json: has no `prisma.schema`
      help: Say where it is with `--schema` (PLIMSOLL_SCHEMA), or start plimsoll in the directory of the project.
    "#);
    let layout = Layout::new().file(".config/prisma.ts", "export default {}");
    assert_snapshot!(layout.refused(), @r#"
    PLM101: Could not find Prisma Schema that is required for this command.
      help: .config/schema.prisma: file not found
      help: .config/prisma/schema.prisma: file not found
      help: schema.prisma: file not found
      help: prisma/schema.prisma: file not found
      help: .config/prisma.ts: has no `schema`
      help: package.json: not found in this directory or above it
      help: Say where it is with `--schema` (PLIMSOLL_SCHEMA), or start plimsoll in the directory of the project.
    "#);
}

#[test]
fn a_schema_that_was_named_and_is_not_there() {
    let layout = Layout::new().file("empty/x", "");
    let mut request = layout.request();
    request.schema = Some(PathBuf::from("./nope.prisma"));
    assert_snapshot!(layout.refused_as(&request), @r#"
    PLM101: Could not load `--schema` from provided path `nope.prisma`: file or directory not found
      help: The path is relative to the working directory, [app].
      help: In an image: check what `COPY` and `.dockerignore` leave out.
    "#);
    request.schema = Some(PathBuf::from("empty"));
    assert_snapshot!(layout.refused_as(&request), @r#"
    PLM101: there is no `.prisma` file in empty or below it
      help: Name the file or the folder of the schema with `--schema` (PLIMSOLL_SCHEMA).
    "#);
    let layout = Layout::new().file("prisma.config.ts", "export default {\n  schema: './nope.prisma',\n}");
    assert_snapshot!(layout.refused(), @r#"
    PLM101: Could not load schema from `nope.prisma` provided by the Prisma config file: file or directory not found (prisma.config.ts:2:11)
      |   schema: './nope.prisma',
      |           ^^^^^^^^^^^^^^^
      help: The path is relative to the config, in [app].
      help: Correct it, or give the schema as `--schema` (PLIMSOLL_SCHEMA).
    "#);
    let layout = Layout::new().file("package.json", r#"{ "prisma": { "schema": "nope.prisma" } }"#);
    assert_snapshot!(layout.refused(), @r#"
    PLM101: Could not load schema from `nope.prisma`, which `prisma.schema` of package.json names: No such file or directory (os error 2)
      help: Correct it, or give the schema as `--schema` (PLIMSOLL_SCHEMA).
    "#);
}

#[test]
fn a_config_that_was_named_and_is_not_there() {
    let layout = with_schema(SEVEN);
    let mut request = layout.request();
    request.config = Some(PathBuf::from("nope.ts"));
    assert_snapshot!(layout.refused_as(&request), @r#"
    PLM102: Config file not found at "nope.ts"
      help: Correct `--config` (PLIMSOLL_CONFIG), or leave it out if the project has no Prisma config.
    "#);
}

#[test]
fn the_variable_of_the_schema() {
    assert_snapshot!(with_schema(SIX).refused(), @r#"
    P1012: Environment variable not found: DATABASE_URL. (prisma/schema.prisma:3:14)
      |   url      = env("DATABASE_URL")
      |              ^^^^^^^^^^^^^^^^^^^
      help: Set DATABASE_URL in the environment of this process, or give `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_schema(SIX).variable("DATABASE_URL", "").refused(), @r#"
    P1012: Error validating datasource `db`: You must provide a nonempty URL. The environment variable `DATABASE_URL` resolved to an empty string. (prisma/schema.prisma:3:14)
      |   url      = env("DATABASE_URL")
      |              ^^^^^^^^^^^^^^^^^^^
      help: Set DATABASE_URL in the environment of this process, or give `--url` (PLIMSOLL_URL).
    "#);
    let direct = SIX.replace('}', "  directUrl = env(\"DIRECT_URL\")\n}");
    assert_snapshot!(with_schema(&direct).variable("DATABASE_URL", URL).refused(), @r#"
    P1012: Environment variable not found: DIRECT_URL. (prisma/schema.prisma:4:15)
      |   directUrl = env("DIRECT_URL")
      |               ^^^^^^^^^^^^^^^^^
      help: Set DIRECT_URL in the environment of this process, or give `--url` (PLIMSOLL_URL).
    "#);
    let layout = with_schema(&direct).variable("DATABASE_URL", URL).variable("DIRECT_URL", "");
    assert_snapshot!(layout.refused(), @r#"
    P1012: Error validating datasource `db`: You must provide a nonempty direct URL. The environment variable `DIRECT_URL` resolved to an empty string. (prisma/schema.prisma:4:15)
      |   directUrl = env("DIRECT_URL")
      |               ^^^^^^^^^^^^^^^^^
      help: Set DIRECT_URL in the environment of this process, or give `--url` (PLIMSOLL_URL).
    "#);
}

#[test]
fn a_url_of_the_schema_that_is_none() {
    let url = |value: &str| with_schema(&SIX.replace("env(\"DATABASE_URL\")", value)).refused();
    assert_snapshot!(url("\"\""), @r#"
    P1012: Error validating datasource `db`: You must provide a nonempty URL. (prisma/schema.prisma:3:14)
      |   url      = ""
      |              ^^
      help: Give one with `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("[\"x\"]"), @r#"
    P1012: `url` has to be a string or `env("NAME")`. (prisma/schema.prisma:3:14)
      |   url      = ["*"]
      |              ^^^^^
    "#);
    assert_snapshot!(url("env()"), @r#"
    P1012: `env` of `url` takes the name of one variable. (prisma/schema.prisma:3:14)
      |   url      = env()
      |              ^^^^^
    "#);
    assert_snapshot!(url("env(\"postgresql://app:hunter2@db/app\")"), @r#"
    P1012: Environment variable not found: ***. (prisma/schema.prisma:3:14)
      |   url      = env("*******************************")
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: `env` takes the name of a variable, not its value: write `env("DATABASE_URL")`.
    "#);
}

#[test]
fn no_url() {
    assert_snapshot!(with_schema(SEVEN).refused(), @r#"
    PLM104: Nothing says which database to use: no `--url`, no `datasource.url` in the Prisma config, and no `url` in the schema. (prisma/schema.prisma:1:1)
      | datasource db {
      | ^^^^^^^^^^^^^ this datasource has no `url`
      help: Give the connection URL as `--url`, or set PLIMSOLL_URL.
      help: Or write a prisma.config.ts with `datasource: { url: env("DATABASE_URL") }`, as Prisma 7 wants it.
    "#);
    assert_snapshot!(with_config("export default {}").refused(), @r#"
    PLM104: Nothing says which database to use: no `--url`, no `datasource.url` in the Prisma config, and no `url` in the schema. (prisma/schema.prisma:1:1)
      | datasource db {
      | ^^^^^^^^^^^^^ this datasource has no `url`
      help: Give the connection URL as `--url`, or set PLIMSOLL_URL.
      help: Or write `datasource: { url: env("DATABASE_URL") }` into prisma.config.ts.
    "#);
    let js = "export default { engine: 'js', adapter: async () => new PrismaPg({ url: 'hunter2' }) }";
    assert_snapshot!(with_config(js).refused(), @r#"
    PLM104: Nothing says which database to use: no `--url`, no `datasource.url` in the Prisma config, and no `url` in the schema. (prisma/schema.prisma:1:1)
      | datasource db {
      | ^^^^^^^^^^^^^ this datasource has no `url`
      help: Give the connection URL as `--url`, or set PLIMSOLL_URL.
      help: prisma.config.ts has `engine: "js"`: its adapter is code that Plimsoll does not run.
    "#);
    assert_snapshot!(with_config("export default { datasource: { url: undefined } }").refused(), @r#"
    PLM104: `datasource.url` of prisma.config.ts is undefined. (prisma.config.ts:1:37)
      | export default { datasource: { url: undefined } }
      |                                     ^^^^^^^^^
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_config("export default { datasource: { url: '' } }").refused(), @r#"
    PLM104: `datasource.url` of prisma.config.ts is empty. (prisma.config.ts:1:37)
      | export default { datasource: { url: '' } }
      |                                     ^^
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    let unset =
        "const url = process.env.DATABASE_URL || process.env.PG_URL\nexport default { datasource: { url } }";
    assert_snapshot!(with_config(unset).refused(), @r#"
    PLM104: `datasource.url` of prisma.config.ts is undefined: the environment variables `DATABASE_URL`, `PG_URL` are not set. (prisma.config.ts:2:32)
      | export default { datasource: { url } }
      |                                ^^^
      help: Set the variable, or give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
}

#[test]
fn the_variable_of_the_config() {
    let source = "import { env } from 'prisma/config'\nexport default {\n  datasource: { url: env('DATABASE_URL') },\n}";
    assert_snapshot!(with_config(source).refused(), @r#"
    PLM103: PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL. (prisma.config.ts:3:22)
      |   datasource: { url: env('DATABASE_URL') },
      |                      ^^^^^^^^^^^^^^^^^^^ not set, or empty
      help: Set DATABASE_URL, or give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_config(source).variable("DATABASE_URL", "").refused(), @r#"
    PLM103: PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL. (prisma.config.ts:3:22)
      |   datasource: { url: env('DATABASE_URL') },
      |                      ^^^^^^^^^^^^^^^^^^^ not set, or empty
      help: Set DATABASE_URL, or give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    let source =
        "export default {\n  datasource: { url: `postgresql://app:hunter2@${process.env.HOST}/app` },\n}";
    assert_snapshot!(with_config(source).refused(), @r#"
    PLM103: `datasource.url` of prisma.config.ts would hold the word `undefined`: the environment variable `HOST` is not set. (prisma.config.ts:2:50)
      |   datasource: { url: `*************************${process.env.HOST}****` },
      |                                                  ^^^^^^^^^^^^^^^^ undefined
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
}

/// The error of a config with this URL, in a file full of what cannot be read.
fn refused_url(value: &str) -> String {
    let before = "import { url } from './url'\nimport secrets from 'secrets'\nconst f = () => 'hunter2'\n\
        let u = 'hunter2'\nu = f()\nconst a = { ...b }, b = { ...a }\n";
    with_config(&format!("{before}export default {{ datasource: {{ url: {value} }} }}")).refused()
}

#[test]
fn a_name_whose_value_is_not_known() {
    let url = refused_url;
    assert_snapshot!(url("f()"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (it is a function). (prisma.config.ts:7:37)
      | export default { datasource: { url: f() } }
      |                                     ^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("url"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it comes from `./url`, which is another file. (prisma.config.ts:1:1)
      | import { url } from './url'
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("secrets.get('hunter2')"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it comes from `secrets`, which is another package. (prisma.config.ts:2:1)
      | import secrets from 'secrets'
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("u"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: `u` is changed after its declaration. (prisma.config.ts:7:37)
      | export default { datasource: { url: u } }
      |                                     ^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("a.c"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it is nested too deeply, or refers to itself. (prisma.config.ts:6:25)
      | const a = { ...b }, b = { ...a }
      |                         ^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("nobody"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: `nobody` is not declared in this file. (prisma.config.ts:7:37)
      | export default { datasource: { url: nobody } }
      |                                     ^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
}

#[test]
fn an_expression_that_would_have_to_be_run() {
    let url = refused_url;
    assert_snapshot!(url("() => 'hunter2'"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it is a function. (prisma.config.ts:7:37)
      | export default { datasource: { url: () => '*******' } }
      |                                     ^^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("new URL('hunter2').href"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it makes an object that Plimsoll does not know. (prisma.config.ts:7:37)
      | export default { datasource: { url: new URL('*******').href } }
      |                                     ^^^^^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("undefined.x"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it reads `x` of undefined. (prisma.config.ts:7:37)
      | export default { datasource: { url: undefined.x } }
      |                                     ^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("'hunter2' < 2"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: Plimsoll does not know this operator. (prisma.config.ts:7:37)
      | export default { datasource: { url: '*******' < 2 } }
      |                                     ^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("'hunter2' == 2"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it compares values of different types. (prisma.config.ts:7:37)
      | export default { datasource: { url: '*******' == 2 } }
      |                                     ^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("'hunter2' + {}"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: an object becomes part of a string. (prisma.config.ts:7:49)
      | export default { datasource: { url: '*******' + {} } }
      |                                                 ^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(url("'hunter2'.padEnd(3)"), @r#"
    PLM103: `datasource.url` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (Plimsoll does not know the member `padEnd`). (prisma.config.ts:7:37)
      | export default { datasource: { url: '*******'.padEnd(3) } }
      |                                     ^^^^^^^^^^^^^^^^^^^ this would have to be run
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
}

#[test]
fn schema_and_migrations_that_would_have_to_be_run() {
    assert_snapshot!(with_config("export default { schema: f() }").refused(), @r#"
    PLM103: `schema` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (`f` is not declared in this file). (prisma.config.ts:1:26)
      | export default { schema: f() }
      |                          ^^^ this would have to be run
      help: Give the schema as `--schema` (PLIMSOLL_SCHEMA).
    "#);
    let source = "export default { datasource: { url: 'x' }, migrations: { path: f() } }";
    assert_snapshot!(with_config(source).refused(), @r#"
    PLM103: `migrations.path` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (`f` is not declared in this file). (prisma.config.ts:1:64)
      | export default { datasource: { url: '*' }, migrations: { path: f() } }
      |                                                                ^^^ this would have to be run
      help: Give the migrations directory as `--migrations` (PLIMSOLL_MIGRATIONS).
    "#);
    assert_snapshot!(with_config("export default function () { return {} }").refused(), @r#"
    PLM103: `schema` of prisma.config.ts cannot be read without running it: the config exports a function or a class. (prisma.config.ts:1:16)
      | export default function () { return {} }
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^ this would have to be run
      help: None of this config can be read: give `--schema`, `--migrations` and `--url` (PLIMSOLL_SCHEMA, PLIMSOLL_MIGRATIONS, PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_config("export default load()").refused(), @r#"
    PLM103: `schema` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (`load` is not declared in this file). (prisma.config.ts:1:16)
      | export default load()
      |                ^^^^^^ this would have to be run
      help: None of this config can be read: give `--schema`, `--migrations` and `--url` (PLIMSOLL_SCHEMA, PLIMSOLL_MIGRATIONS, PLIMSOLL_URL).
    "#);
}

#[test]
fn values_of_the_wrong_type() {
    assert_snapshot!(with_config("export default { schema: 1 }").refused(), @r#"
    PLM103: `schema` of prisma.config.ts is a number, and has to be a string. (prisma.config.ts:1:26)
      | export default { schema: 1 }
      |                          ^
      help: Give the schema as `--schema` (PLIMSOLL_SCHEMA).
    "#);
    assert_snapshot!(with_config("export default { datasource: 'x' }").refused(), @r#"
    PLM103: `datasource` of prisma.config.ts is a string, and has to be an object. (prisma.config.ts:1:30)
      | export default { datasource: '*' }
      |                              ^^^
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_config("export default { datasource: { url: null } }").refused(), @r#"
    PLM103: `datasource.url` of prisma.config.ts is null, and has to be a string. (prisma.config.ts:1:37)
      | export default { datasource: { url: null } }
      |                                     ^^^^
      help: Give the connection URL as `--url` (PLIMSOLL_URL).
    "#);
    assert_snapshot!(with_config("export default ['x']").refused(), @r#"
    PLM103: What prisma.config.ts exports is a list, and has to be an object. (prisma.config.ts:1:16)
      | export default ['*']
      |                ^^^^^
      help: Give the schema as `--schema` (PLIMSOLL_SCHEMA).
    "#);
    let external = |value: &str| {
        with_config(&format!(
            "export default {{ datasource: {{ url: 'x' }}, tables: {{ external: {value} }} }}"
        ))
        .refused()
    };
    assert_snapshot!(external("'x'"), @r#"
    PLM103: `tables.external` of prisma.config.ts is a string, and has to be a list of strings. (prisma.config.ts:1:64)
      | export default { datasource: { url: '*' }, tables: { external: '*' } }
      |                                                                ^^^
      help: Write it out as a list of strings.
    "#);
    assert_snapshot!(external("['x', 1]"), @r#"
    PLM103: `tables.external` of prisma.config.ts is a number, and has to be a string. (prisma.config.ts:1:70)
      | export default { datasource: { url: '*' }, tables: { external: ['*', 1] } }
      |                                                                      ^
      help: Write it out as a list of strings.
    "#);
    assert_snapshot!(external("['x', , 'y']"), @r#"
    PLM103: `tables.external` of prisma.config.ts is undefined, and has to be a string. (prisma.config.ts:1:70)
      | export default { datasource: { url: '*' }, tables: { external: ['*', , '*'] } }
      |                                                                      ^
      help: Write it out as a list of strings.
    "#);
}

#[test]
fn a_config_that_is_no_typescript() {
    assert_snapshot!(with_config("export default {\n  datasource: { url: 'hunter2 },\n}").refused(), @r#"
    PLM103: prisma.config.ts is not valid TypeScript. (prisma.config.ts:2:22)
      |   datasource: { url: '**********
      |                      ^^^^^^^^^^^ syntax error
      help: Correct it, or name another config with `--config` (PLIMSOLL_CONFIG).
    "#);
    assert_snapshot!(with_config("const password = 'hunter2'\nexport default {\n").refused(), @r#"
    PLM103: prisma.config.ts is not valid TypeScript. (prisma.config.ts:3:1)
      | 
      | ^ syntax error
      help: Correct it, or name another config with `--config` (PLIMSOLL_CONFIG).
    "#);
    assert_snapshot!(with_config(&"[".repeat(300)).refused(), @r#"
    PLM103: prisma.config.ts is too long, or nested too deeply, to be read.
      help: Write a config of its own for deployments, and name it with `--config` (PLIMSOLL_CONFIG).
    "#);
}

#[test]
fn env_files_in_conflict() {
    let layout = with_schema(SIX)
        .file("package.json", "{}")
        .file(".env", format!("A=1\nDATABASE_URL={URL}\nB=hunter2"))
        .file("prisma/.env", format!("A=2\nDATABASE_URL='{URL}'\nB=hunter2"));
    assert_snapshot!(layout.refused(), @r#"
    PLM107: There is a conflict between env var in .env and prisma/.env: B, DATABASE_URL
      help: Move what is in prisma/.env to .env, and delete prisma/.env.
      help: Or give `--url` (PLIMSOLL_URL): then no `.env` file is read.
    "#);
}

#[test]
fn what_cannot_be_read() {
    let layout = with_schema(SIX).variable("DATABASE_URL", URL).file("prisma/migrations", "a file");
    assert_snapshot!(layout.refused(), @"PLM102: cannot read [app]/prisma/migrations: Not a directory (os error 20)");
    let layout =
        with_schema(SIX).variable("DATABASE_URL", URL).file("prisma/migrations/migration_lock.toml/x", "");
    assert_snapshot!(layout.refused(), @"PLM102: cannot read [app]/prisma/migrations/migration_lock.toml: Is a directory (os error 21)");
}

#[test]
fn a_migrations_directory_that_was_named_and_is_not_there() {
    let layout = with_schema(SIX).variable("DATABASE_URL", URL);
    let mut request = layout.request();
    request.migrations = Some(PathBuf::from("db/nope"));
    assert_snapshot!(layout.refused_as(&request), @r#"
    PLM102: Could not load `--migrations` from provided path `db/nope`: directory not found
      help: In an image: check what `COPY` and `.dockerignore` leave out.
    "#);
}

#[test]
fn an_env_file_that_nobody_loads_is_mentioned() {
    let source = "export default { datasource: { url: process.env.DATABASE_URL } }";
    assert_snapshot!(with_config(source).file(".env", "A=1").refused(), @r#"
    PLM104: `datasource.url` of prisma.config.ts is undefined: the environment variable `DATABASE_URL` is not set. (prisma.config.ts:1:37)
      | export default { datasource: { url: process.env.DATABASE_URL } }
      |                                     ^^^^^^^^^^^^^^^^^^^^^^^^
      help: Set the variable, or give the connection URL as `--url` (PLIMSOLL_URL).
      help: There is a `.env` file, but this config does not load it: `import "dotenv/config"` does.
    "#);
    let layout = with_schema(SIX).file("prisma.config.ts", "export default {}").file(".env", "A=1");
    assert_snapshot!(layout.refused(), @r#"
    P1012: Environment variable not found: DATABASE_URL. (prisma/schema.prisma:3:14)
      |   url      = env("DATABASE_URL")
      |              ^^^^^^^^^^^^^^^^^^^
      help: Set DATABASE_URL in the environment of this process, or give `--url` (PLIMSOLL_URL).
      help: There is a `.env` file, but this config does not load it: `import "dotenv/config"` does.
    "#);
}

#[test]
fn a_link_in_a_circle_cannot_be_read() {
    let layout = with_schema(SIX).variable("DATABASE_URL", URL).link("prisma/migrations/a", "a");
    assert_snapshot!(layout.refused(), @"PLM102: cannot read [app]/prisma/migrations/a: Too many levels of symbolic links (os error 40)");
}

#[test]
fn a_name_that_is_not_utf_8() {
    let layout = with_schema(SIX).variable("DATABASE_URL", URL);
    let name = std::ffi::OsStr::from_bytes(b"1_\xff");
    fs::create_dir_all(layout.path().join("prisma/migrations").join(name)).unwrap();
    assert_snapshot!(layout.refused(), @r#"
    PLM102: the name of the directory [app]/prisma/migrations/1_� is not UTF-8
      help: Rename the directory. The history of a database could not hold its name.
    "#);
}

#[test]
fn a_script_that_cannot_be_read_is_an_error_only_when_its_turn_comes() {
    let layout =
        with_schema(SIX).variable("DATABASE_URL", URL).file("prisma/migrations/1/migration.sql/x", "");
    let project = layout.read();
    let why = project.migrations.list()[0]
        .script()
        .unwrap_err()
        .replace(&layout.path().display().to_string(), "[app]");
    assert_snapshot!(why, @"[app]/prisma/migrations/1/migration.sql: Is a directory (os error 21)");
}
