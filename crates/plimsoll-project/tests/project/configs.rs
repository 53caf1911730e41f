//! Prisma configs in the forms that people write.

use std::path::PathBuf;

use crate::support::{Layout, SEVEN, URL};

/// Each source says `URL` in one way or another; all mean the same project.
const FORMS: &[(&str, &str)] = &[
    (
        "ts",
        "import { defineConfig, env } from 'prisma/config';\nexport default defineConfig({ schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: env('DATABASE_URL') } });",
    ),
    (
        "ts",
        "import { defineConfig, env } from \"prisma/config\"\ntype Env = { DATABASE_URL: string }\nexport default defineConfig({ schema: \"./db/s.prisma\", migrations: { path: \"./db/m\", seed: `tsx x.ts` }, datasource: { url: env<Env>(\"DATABASE_URL\"), shadowDatabaseUrl: env('SHADOW') } })",
    ),
    (
        "ts",
        "import type { PrismaConfig } from 'prisma';\nexport default { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: process.env.DATABASE_URL! } } satisfies PrismaConfig;",
    ),
    (
        "ts",
        "import path from 'node:path'\nimport type { PrismaConfig } from 'prisma'\nexport default { earlyAccess: true, schema: path.join('db', 's.prisma'), migrations: { path: path.join(__dirname, 'db', 'm'), seed() { return run() } }, datasource: { url: process.env['DATABASE_URL'] as string } } as PrismaConfig",
    ),
    (
        "ts",
        "import * as path from 'path';\nimport { defineConfig } from 'prisma/config';\nconst root = path.resolve(__dirname);\nconst config = defineConfig({ schema: path.resolve(root, './db/s.prisma'), migrations: { path: path.resolve(process.cwd(), 'db', 'm') }, datasource: { url: process.env.DATABASE_URL ?? '' } });\nexport default config;",
    ),
    (
        "ts",
        "import { join } from 'path'\nimport process from 'node:process'\nconst { DATABASE_URL } = process.env;\nif (!DATABASE_URL) throw new Error('no url');\nconst datasource = { url: DATABASE_URL };\nexport default { schema: join(import.meta.dirname, 'db/s.prisma'), migrations: { path: join(import.meta.dirname, 'db/m') }, datasource }",
    ),
    (
        "ts",
        "import { fileURLToPath } from 'node:url'\nimport { dirname, resolve } from 'node:path'\nconst here = dirname(fileURLToPath(import.meta.url))\nexport default { schema: resolve(here, 'db/s.prisma'), migrations: { path: fileURLToPath(new URL('./db/m', import.meta.url)) }, datasource: { url: process.env.UNSET || process.env.DATABASE_URL } }",
    ),
    (
        "ts",
        "const base = { schema: 'db/s.prisma', migrations: { path: 'db/m' } } as const\nconst isTest = process.env.NODE_ENV === 'test'\nexport default { ...base, datasource: { url: isTest ? 'file:./test.db' : `${process.env.DATABASE_URL}` } }",
    ),
    (
        "ts",
        "const config: object = { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: 'postgresql://app:' + 'hunter2' + '@db/app' } }\nexport { config as default }",
    ),
    (
        "ts",
        "import * as prisma from 'prisma/config'\nconst load = () => 1\nfunction seed() {}\nexport default prisma.defineConfig({ 'schema': 'db/s.prisma', \"migrations\": { ['path']: 'db/m' }, datasource: { url: prisma.env(`DATABASE_URL`) }, experimental: { adapter: true }, studio: { adapter: async () => load() } })",
    ),
    (
        "mts",
        "export default await { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: process.env?.DATABASE_URL?.trim() } }",
    ),
    (
        "mjs",
        "import { env } from 'node:process'\nexport default { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: env.DATABASE_URL } }",
    ),
    (
        "js",
        "const { defineConfig, env } = require('prisma/config');\nmodule.exports = defineConfig({ schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: env('DATABASE_URL') } });",
    ),
    (
        "cjs",
        "'use strict'\nconst path = require('path')\nmodule.exports = { schema: path.join(__dirname, 'db', 's.prisma'), migrations: { path: require('node:path').join('db', 'm') }, datasource: { url: process.env.DATABASE_URL } }",
    ),
    (
        "cjs",
        "Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: process.env.DATABASE_URL } }",
    ),
    (
        "cts",
        "export = { schema: 'db/s.prisma', migrations: { path: 'db/m' }, datasource: { url: process.env.DATABASE_URL } }",
    ),
    (
        "ts",
        "let url = process.env.DATABASE_URL\nvar paths = { schema: 'db/s.prisma', m: { path: 'db/m' } }\nexport default { schema: paths.schema, migrations: paths['m'], datasource: { url, directUrl: undefined } }",
    ),
    (
        "ts",
        "const { env: { DATABASE_URL: url = 'x' } } = process\nexport default { schema: ('db/s.prisma'), migrations: { ...{ path: 'no' }, path: 'db/m' }, datasource: { url: String(url) } }",
    ),
];

fn project(extension: &str, source: &str) -> Layout {
    Layout::new()
        .file("db/s.prisma", SEVEN)
        .file("db/m/1/migration.sql", "")
        .file(&format!("prisma.config.{extension}"), source)
        .variable("DATABASE_URL", URL)
}

#[test]
fn the_forms_that_people_write() {
    for (extension, source) in FORMS {
        let project = project(extension, source).read();
        assert_eq!(project.datasource.url.expose(), URL, "{source}");
        assert_eq!(project.schema, "db/s.prisma", "{source}");
        assert_eq!(project.migrations.list().len(), 1, "{source}");
        assert!(project.notes.is_empty(), "{source}");
    }
}

/// Ways to load `.env`, all before the same export.
const DOTENV: &[&str] = &[
    "import 'dotenv/config'",
    "import \"dotenv/config.js\"",
    "require('dotenv/config')",
    "import dotenv from 'dotenv'\ndotenv.config()",
    "import * as dotenv from 'dotenv'\ndotenv.config({ quiet: true })",
    "import { config } from 'dotenv'\nconfig({ path: '.env' })",
    "import { config as load } from 'dotenv'\nconst loaded = load({ path: ['.env.local', '.env'] })",
    "require('dotenv').config()",
    "process.loadEnvFile()",
    "import process from 'node:process'\nprocess.loadEnvFile('./.env')",
    "const dotenv = require('dotenv')\nif (process.env.NODE_ENV !== 'production') { dotenv.config() }",
    "import { expand } from 'dotenv-expand'\nimport { config } from 'dotenv'\nexpand(config())",
    "import path from 'path'\nimport dotenv from 'dotenv'\ntry { dotenv.config({ path: path.join(__dirname, '.env') }) } catch {}",
];

#[test]
fn the_ways_to_load_env_files() {
    for form in DOTENV {
        let export = "export default { engine: 'classic', datasource: { url: process.env.DATABASE_URL, directUrl: process.env.DIRECT } }";
        let layout = Layout::new()
            .file("prisma/schema.prisma", SEVEN)
            .file(".env", "DATABASE_URL=file\nDIRECT=direct")
            .file("prisma.config.ts", format!("{form}\n{export}"))
            .variable("DATABASE_URL", URL);
        let project = layout.read();
        assert_eq!(project.dotenv, [".env"], "{form}");
        assert_eq!(project.datasource.url.expose(), "direct", "{form}");
    }
}

#[test]
fn dotenv_overrides_only_when_told_to() {
    for (options, expected) in [("", URL), ("{ override: true }", "file"), ("{ override: false }", URL)] {
        let source = format!(
            "import dotenv from 'dotenv'\ndotenv.config({options})\n\
             export default {{ datasource: {{ url: process.env.DATABASE_URL }} }}"
        );
        let layout = Layout::new()
            .file("prisma/schema.prisma", SEVEN)
            .file(".env", "DATABASE_URL=file")
            .file("prisma.config.ts", source)
            .variable("DATABASE_URL", URL);
        assert_eq!(layout.read().datasource.url.expose(), expected, "{options}");
    }
}

#[test]
fn the_schema_sees_what_the_config_has_loaded() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", crate::support::SIX)
        .file(".env", format!("DATABASE_URL={URL}"))
        .file("prisma.config.ts", "import 'dotenv/config'\nexport default {}");
    assert_eq!(layout.read().datasource.url.expose(), URL);
}

#[test]
fn the_first_place_of_a_config_wins() {
    let places = [
        "prisma7.config.js",
        "prisma7.config.ts",
        ".config/prisma7.ts",
        "prisma.config.mjs",
        "prisma.config.cts",
        "prisma.config/index.ts",
        ".config/prisma.ts",
        ".config/prisma.config.ts",
    ];
    let layout = places.iter().fold(Layout::new().file("prisma/schema.prisma", SEVEN), |layout, place| {
        let exports = if place.ends_with("cts") { "module.exports =" } else { "export default" };
        layout.file(place, format!("{exports} {{ datasource: {{ url: '{place}' }} }}"))
    });
    for place in places {
        let project = layout.read();
        assert_eq!(project.datasource.url.expose(), place);
        assert_eq!(project.config.as_deref(), Some(place));
        std::fs::remove_file(layout.path().join(place)).unwrap();
    }
}

#[test]
fn paths_are_relative_to_the_config() {
    let layout =
        Layout::new().file("sub/prisma/schema.prisma", SEVEN).file("sub/m/1/migration.sql", "").file(
            "sub/my.config.ts",
            "export default { migrations: { path: './m' }, datasource: { url: 'file:x' } }",
        );
    let mut request = layout.request();
    request.config = Some(PathBuf::from("sub/my.config.ts"));
    let project = layout.read_as(&request);
    assert_eq!(project.schema, "sub/prisma/schema.prisma");
    assert_eq!(project.migrations.list().len(), 1);
    assert_eq!(project.datasource.base, layout.path().join("sub"));
}

#[test]
fn external_tables_are_read() {
    let source = "const more = ['b']; export default { datasource: { url: 'x' }, tables: { external: ['a', ...more] } }";
    assert_eq!(
        project("ts", &source.replace("datasource", "schema: 'db/s.prisma', datasource"))
            .read()
            .datasource
            .external_tables,
        ["a", "b"]
    );
}
