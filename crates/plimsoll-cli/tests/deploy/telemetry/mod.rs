//! What a real collector gets to see of a run, and that a run does not suffer from one.

mod received;
mod trouble;

use std::time::Duration;

use plimsoll_testkit::program::Program;
use plimsoll_testkit::server::{Collector, Version};
use plimsoll_testkit::wait::moment;

use crate::scene::{Kind, Scene, assert_says};
use received::{Received, attribute, milliseconds};

const POSTGRES: Kind = Kind::Postgres(Version::V15);
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
/// The key of a collector: no output may contain it.
const KEY: &str = "hush-otlp-5d21";

/// The program with these arguments, telling this collector.
fn telling(scene: &Scene, collector: &Collector, arguments: &[&str]) -> Program {
    scene.command(arguments).env(ENDPOINT, collector.endpoint())
}

#[tokio::test]
async fn a_run_is_a_trace_of_its_steps_and_its_numbers() {
    let scene = Scene::new(POSTGRES).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let scene = scene.migration("2_more", "INSERT INTO ship VALUES ('Ark');");
    let collector = Collector::start();
    let ended = telling(&scene, &collector, &["deploy", "--verbose"])
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("x-key=Bearer%20{KEY}"))
        .env("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip")
        .env("OTEL_SERVICE_NAME", "shop")
        .env("PLIMSOLL_POD", "shop-7")
        .env("PLIMSOLL_RELEASE", "1.4.2")
        .env("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01"))
        .run()
        .expect_code(0);
    assert!(!ended.stderr.contains("warning") && !format!("{ended}").contains(KEY), "{ended}");

    let received = Received::by(&collector);
    assert_eq!(
        received.tree(),
        [
            "plimsoll deploy > connect",
            "plimsoll deploy > lock",
            "plimsoll deploy > apply 1_init",
            "plimsoll deploy > apply 2_more",
            "plimsoll deploy",
        ]
    );
    let run = received.span("plimsoll deploy");
    assert_eq!((&run["traceId"], &run["parentSpanId"]), (&TRACE.into(), &PARENT.into()));
    assert!(received.spans().iter().all(|span| span["traceId"] == TRACE));
    let told = |name| received.of_span("plimsoll deploy", name).unwrap_or_default();
    assert_eq!([told("plimsoll.outcome"), told("process.exit.code")], ["applied", "0"]);
    assert_eq!([told("plimsoll.migrations.applied"), told("plimsoll.release")], ["2", "1.4.2"]);
    let of = |name| received.of_span("apply 2_more", name).unwrap_or_default();
    assert_eq!([of("db.system.name"), of("server.address")], ["postgresql", "127.0.0.1"]);
    assert_eq!([of("plimsoll.migration.number"), of("plimsoll.migration.outcome")], ["2", "applied"]);
    assert!(of("db.namespace").ends_with("|public"), "{}", of("db.namespace"));
    assert_eq!([received.resource("service.name"), received.resource("k8s.pod.name")], ["shop", "shop-7"]);

    assert_eq!(received.points("plimsoll.migrations.applied")[0]["asInt"], "2");
    let took = received.points("plimsoll.run.duration");
    assert_eq!(attribute(&took[0], "plimsoll.outcome").as_deref(), Some("applied"));
    for signal in ["traces", "metrics"] {
        assert_eq!(received.header(signal, "x-key"), format!("Bearer {KEY}"));
    }
}

#[tokio::test]
async fn a_run_that_fails_is_told_with_its_code_and_without_what_may_quote_rows() {
    let scene = Scene::new(POSTGRES).await;
    let scene = scene.migration("1_init", "CREATE TABLE ship (name TEXT UNIQUE);");
    let twice = "INSERT INTO ship VALUES ('secret cargo');\nINSERT INTO ship VALUES ('secret cargo');";
    let scene = scene.migration("2_twice", twice);
    let collector = Collector::start();
    let ended = telling(&scene, &collector, &["deploy"]).run().expect_code(65);
    assert_says(&ended.stderr, &["P3018", "secret cargo"]);

    let received = Received::by(&collector);
    let failed = ["plimsoll deploy > apply 2_twice !", "plimsoll deploy !"];
    assert_eq!(received.tree()[3..], failed);
    let exception = &received.span("apply 2_twice")["events"][0];
    let said = |name| attribute(exception, name).unwrap_or_default();
    assert_eq!([said("exception.type"), said("db.response.status_code")], ["P3018", "23505"]);
    assert_eq!(received.of_span("plimsoll deploy", "process.exit.code").as_deref(), Some("65"));
    assert_eq!(received.of_span("plimsoll deploy", "error.type").as_deref(), Some("P3018"));
    let took = received.points("plimsoll.run.duration");
    assert_eq!(attribute(&took[0], "plimsoll.outcome").as_deref(), Some("failed"));
    let everything = collector.received();
    assert!(!everything.contains("cargo") && !everything.contains("INSERT"), "{everything}");
}

#[tokio::test]
async fn what_was_waited_for_has_the_length_of_the_wait() {
    const HELD: Duration = Duration::from_millis(300);
    let scene = Scene::new(POSTGRES).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let collector = Collector::start();
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let running = telling(&scene, &collector, &["deploy"]).spawn();
    running.wait_for_stderr("waiting for another runner");
    moment(HELD).await;
    holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("it is ours");
    running.wait().expect_code(0);

    let received = Received::by(&collector);
    let lock = received.span("lock");
    assert!(milliseconds(lock) >= 300, "{lock}");
    assert_eq!(lock["events"][0]["name"], "held by another");
    let waits = received.points("plimsoll.wait.duration");
    assert_eq!(attribute(&waits[0], "plimsoll.wait.for").as_deref(), Some("lock"));
    assert!(waits[0]["sum"].as_f64().unwrap() >= 0.3, "{waits:?}");
}

#[tokio::test]
async fn a_database_that_does_not_come_was_waited_for() {
    let scene = Scene::new(POSTGRES).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let collector = Collector::start();
    let gone = scene.base.url_through(1);
    let ended = telling(&scene, &collector, &["deploy", "--wait=300ms", "--url", &gone]).run();
    ended.expect_code(69);

    let received = Received::by(&collector);
    let path = "plimsoll deploy > connect";
    assert_eq!(
        received.tree(),
        [format!("{path} > wait for the database !"), format!("{path} !"), "plimsoll deploy !".into()]
    );
    assert!(milliseconds(received.span("wait for the database")) >= 200);
    assert_eq!(received.of_span("plimsoll deploy", "error.type").as_deref(), Some("P1001"));
    let tries = received.of_span("connect", "plimsoll.connect.tries").unwrap();
    assert!(tries.parse::<u32>().unwrap() > 1, "{tries}");
}

#[tokio::test]
async fn exec_tells_before_it_becomes_its_command_and_wait_tells_too() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let collector = Collector::start();
    let file = collector.file().display().to_string();
    let ended = telling(&scene, &collector, &["exec", "--", "cat", &file]).run().expect_code(0);
    let received = Received::parse(&ended.stdout);
    assert_eq!(received.tree().last().map(String::as_str), Some("plimsoll exec"));
    assert_eq!(received.of_span("plimsoll exec", "process.exit.code"), None, "it is the command's");
    assert_eq!(received.of_span("plimsoll exec", "db.system.name").as_deref(), Some("sqlite"));

    let other = Collector::start();
    telling(&scene, &other, &["wait"]).run().expect_code(0);
    let received = Received::by(&other);
    assert_eq!(received.of_span("plimsoll wait", "plimsoll.outcome").as_deref(), Some("up_to_date"));
}

#[tokio::test]
async fn one_signal_can_be_turned_off_and_commands_that_are_no_runs_are_not_told_of() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let collector = Collector::start();
    telling(&scene, &collector, &["status"]).run().expect_code(1);
    telling(&scene, &collector, &["deploy"]).env("OTEL_SDK_DISABLED", "true").run().expect_code(0);
    assert_eq!(collector.received(), "");
    telling(&scene, &collector, &["deploy"]).env("OTEL_METRICS_EXPORTER", "none").run().expect_code(0);
    let received = Received::by(&collector);
    assert_eq!((received.count("traces"), received.count("metrics")), (1, 0));
}
