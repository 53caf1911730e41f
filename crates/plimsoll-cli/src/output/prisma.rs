//! Prisma's fixed phrases, which scripts look for; only the group `migrate` uses them.
//!
//! They are facts of Prisma 6.19 and 7.10: see docs/prisma-compatibility.md for what differs and why.

use std::fmt::Write as _;

use plimsoll_core::standing::Standing;
use plimsoll_core::{Provider, Report};
use plimsoll_engine::resolve::Verdict;
use plimsoll_project::Generation;

use super::{Introduction, Log, answer};
use crate::exit::Exit;

/// The lines before anything is done. Prisma 7 moved some of them to standard error.
pub(super) fn introduce(project: &Introduction, log: Log) {
    for file in &project.dotenv {
        if project.generation == Generation::Six {
            log.info("introduction", format!("Environment variables loaded from {file}"));
        }
    }
    if let Some(config) = &project.config {
        log.info("introduction", format!("Loaded Prisma config from {config}.\n"));
    }
    match project.generation {
        Generation::Six => answer(&format!("Prisma schema loaded from {}\n", project.schema)),
        Generation::Seven => {
            log.info("introduction", format!("Prisma schema loaded from {}.", project.schema));
        }
    }
    answer(&format!("Datasource \"{}\": {}\n", project.source, describe(project)));
}

fn describe(project: &Introduction) -> String {
    let schemas = match (project.provider, project.schemas.as_slice()) {
        (Provider::Sqlite, _) | (_, []) => String::new(),
        (_, [one]) => format!(", schema \"{one}\""),
        (_, many) => format!(", schemas \"{}\"", many.join(", ")),
    };
    format!("{} database \"{}\"{schemas} at \"{}\"", project.provider, project.database, project.address)
}

pub(super) fn database_created(project: &Introduction) {
    answer(&format!("{} database {} created at {}\n\n", project.provider, project.database, project.address));
}

pub(super) fn count(found: usize) {
    answer(&match found {
        0 => "No migration found in prisma/migrations\n".to_owned(),
        1 => "1 migration found in prisma/migrations\n".to_owned(),
        many => format!("{many} migrations found in prisma/migrations\n"),
    });
}

pub(super) fn deployed(report: &Report, generation: Generation) {
    if report.applied.is_empty() {
        return answer("\nNo pending migrations to apply.\n");
    }
    let mut text = "\nThe following migration(s) have been applied:\n\nmigrations/\n".to_owned();
    for applied in &report.applied {
        let _infallible = write!(text, "  └─ {}/\n    └─ migration.sql\n", applied.name);
    }
    text += match generation {
        Generation::Six => "      \n",
        Generation::Seven => "\n",
    };
    text += "All migrations have been successfully applied.\n";
    answer(&text);
}

/// `status`, and how it exits: what is pending hides what has failed, as in Prisma.
pub(super) fn standing(standing: &Standing, exit: Exit, log: Log) -> Exit {
    answer("\n");
    count(standing.found);
    if !standing.managed && standing.found == 0 {
        log.error_text(
            "not_up_to_date",
            "The current database is not managed by Prisma Migrate.\n        \nRead more about how to baseline an existing production database:\nhttps://pris.ly/d/migrate-baseline",
        );
        return Exit::NotUpToDate;
    }
    if !standing.pending.is_empty() && !standing.ahead.is_empty() {
        log.error_text("not_up_to_date", &diverged(standing));
    } else if !standing.pending.is_empty() || !standing.under_way.is_empty() {
        answer(&pending(&[standing.under_way.as_slice(), &standing.pending].concat()));
    } else if !standing.failed.is_empty() {
        log.error_text("not_up_to_date", &failed(standing));
    } else {
        answer("\nDatabase schema is up to date!\n");
    }
    exit
}

fn plural(names: &[String]) -> &'static str {
    if names.len() == 1 { "migration" } else { "migrations" }
}

fn pending(names: &[String]) -> String {
    format!(
        "Following {} have not yet been applied:\n{}\n\nTo apply migrations in development run prisma migrate dev.\nTo apply migrations in production run prisma migrate deploy.\n",
        plural(names),
        names.join("\n")
    )
}

fn diverged(standing: &Standing) -> String {
    let last = standing.last_common.as_deref().unwrap_or("null");
    format!(
        "Your local migration history and the migrations table from your database are different:\n\nThe last common migration is: {last}\n\nThe {} have not yet been applied:\n{}\n\nThe {} from the database are not found locally in prisma/migrations:\n{}",
        plural(&standing.pending),
        standing.pending.join("\n"),
        plural(&standing.ahead),
        standing.ahead.join("\n")
    )
}

fn failed(standing: &Standing) -> String {
    let names: Vec<String> = standing.failed.iter().map(|attempt| attempt.migration.clone()).collect();
    let first = names.first().map_or("", String::as_str);
    format!(
        "Following {} have failed:\n{}\n\nDuring development if the failed migration(s) have not been deployed to a production database you can then fix the migration(s) and run prisma migrate dev.\n\nThe failed migration(s) can be marked as rolled back or applied:\n      \n- If you rolled back the migration(s) manually:\nprisma migrate resolve --rolled-back \"{first}\"\n\n- If you fixed the database manually (hotfix):\nprisma migrate resolve --applied \"{first}\"\n\nRead more about how to resolve migration issues in a production database:\nhttps://pris.ly/d/migrate-resolve",
        plural(&names),
        names.join("\n")
    )
}

pub(super) fn resolved(name: &str, verdict: Verdict) {
    let state = match verdict {
        Verdict::Applied => "applied",
        Verdict::RolledBack => "rolled back",
        // Prisma's group of commands has no argument for it.
        Verdict::Resume => "resumed",
    };
    answer(&format!("\nMigration {name} marked as {state}.\n\n"));
}
