//! How long it takes to decide what is to be done: splitting, checksums, ordering, planning.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use plimsoll_core::checksum::Checksum;
use plimsoll_core::history::{History, Instant, Row, Snapshot};
use plimsoll_core::order::sort_by_name;
use plimsoll_core::plan::{IfAhead, plan};
use plimsoll_core::script::{mysql, postgres, sqlite};
use plimsoll_core::{Migration, Migrations, Provider, Script};

/// As many migrations as a history gets to have.
const MANY: u64 = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    splitting(&mut criterion);
    checksums(&mut criterion);
    ordering(&mut criterion);
    planning(&mut criterion);
    criterion.final_summary();
}

/// What Prisma generates for a table, with what people write by hand beside it.
fn script(number: u64) -> String {
    format!(
        "-- CreateTable\n\
         CREATE TABLE Entry{number} (\n    id INTEGER NOT NULL,\n    title VARCHAR(191) NOT NULL DEFAULT 'it''s; new',\n\
         \x20   createdAt TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n\n    PRIMARY KEY (id)\n);\n\n\
         /* by hand; */\n\
         INSERT INTO Entry{number} (id, title) VALUES (1, 'a'), (2, 'b; -- c'), (3, 'd');\n\n\
         -- CreateIndex\nCREATE UNIQUE INDEX Entry{number}_title_key ON Entry{number}(title);\n"
    )
}

/// A script of many statements: about half a megabyte.
fn long_script() -> String {
    (0..1000).map(script).collect()
}

fn splitting(criterion: &mut Criterion) {
    let text = long_script();
    let server = mysql::Server::parse("8.0.36", "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES");
    let mut group = criterion.benchmark_group("splitting");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("postgresql", |bencher| bencher.iter(|| postgres::shape(black_box(&text))));
    group.bench_function("mysql", |bencher| bencher.iter(|| mysql::split(black_box(&text), &server)));
    group.bench_function("sqlite", |bencher| bencher.iter(|| sqlite::shape(black_box(&text))));
    group.finish();
}

fn checksums(criterion: &mut Criterion) {
    let text = long_script();
    let mut group = criterion.benchmark_group("checksums");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("of a long script", |bencher| bencher.iter(|| Checksum::of(black_box(&text))));
    group.finish();
    let recorded = Script::new(script(1));
    let stored = recorded.checksum().to_string();
    criterion.bench_function("checksums/beside the one in the history", |bencher| {
        bencher.iter(|| recorded.is_recorded_as(black_box(&stored)));
    });
    let other_line_ends = Script::new(script(1).replace('\n', "\r\n"));
    criterion.bench_function("checksums/of other line ends", |bencher| {
        bencher.iter(|| other_line_ends.is_recorded_as(black_box(&stored)));
    });
}

fn ordering(criterion: &mut Criterion) {
    let timestamps: Vec<String> = (0..MANY).rev().map(timestamped).collect();
    let others: Vec<String> = (0..MANY).rev().map(|number| format!("V{number}__Entry-{number}")).collect();
    for (name, names) in [("timestamps", timestamps), ("other names", others)] {
        criterion.bench_function(&format!("ordering/{name}"), |bencher| {
            bencher.iter_batched_ref(
                || names.clone(),
                |names| sort_by_name(names, |name| name),
                BatchSize::LargeInput,
            );
        });
    }
}

fn planning(criterion: &mut Criterion) {
    let list = (0..MANY).map(|number| Migration::new(timestamped(number), "", Script::new(script(number))));
    let migrations = Migrations::new(list.collect(), None);
    let rows: Vec<Row> = migrations.list().iter().zip(0..).map(row).collect();
    let half = rows[..rows.len() / 2].to_vec();
    for (name, rows) in
        [("up to date", rows), ("half of them to be applied", half), ("nothing applied", vec![])]
    {
        let snapshot = Snapshot::Managed(History::new(rows));
        criterion.bench_function(&format!("planning/{name}"), |bencher| {
            bencher.iter(|| {
                plan(black_box(&migrations), Provider::Postgresql, black_box(&snapshot), IfAhead::Warn)
            });
        });
    }
}

fn timestamped(number: u64) -> String {
    format!("{}_entry_{number}", 20_240_101_000_000 + number)
}

/// The row of a migration that has been applied.
fn row((migration, number): (&Migration, i64)) -> Row {
    Row {
        id: format!("00000000-0000-4000-8000-{number:012}"),
        migration_name: migration.name().to_owned(),
        checksum: migration.script().map(|script| script.checksum().to_string()).unwrap_or_default(),
        started_at: Instant(number),
        finished_at: Some(Instant(number + 1)),
        rolled_back_at: None,
        logs: None,
        applied_steps_count: 1,
    }
}
