//! Collectors that are not there, hang, cannot be trusted or are not spoken to: a run ends as it would without them.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Collector, Options, PostgresServer, Version};
use plimsoll_testkit::transcript::Transcript;

use super::received::Received;
use super::{ENDPOINT, KEY, POSTGRES, telling};
use crate::scene::{Kind, Scene, assert_says, until_true};

/// How long telemetry may keep a run.
const MOST: Duration = Duration::from_secs(2);
/// A run that is told to end has as long, and uses 1.8 of it where a collector hangs. The rest is for a machine that has much to do.
const MOST_AFTER_SIGNAL: Duration = Duration::from_millis(3500);

async fn sqlite() -> Scene {
    Scene::new(Kind::Sqlite).await.migration("1_init", "CREATE TABLE ship (name TEXT);")
}

/// A server that takes connections, as the kernel does for it, and never says a word.
fn hanging() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    (listener, endpoint)
}

/// The lines that warn of something.
fn warnings(ended: &Transcript) -> Vec<&str> {
    ended.stderr.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_one_line_and_nothing_else() {
    let scene = sqlite().await;
    let told = |arguments: &[&str]| {
        let command = scene.command(arguments).env(ENDPOINT, "http://127.0.0.1:1/secret-path?token=hush");
        command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("x-key={KEY}"))
    };
    let quiet = sqlite().await;
    let quiet = || quiet.run(&["exec", "--", "echo", "started"]).expect_code(0).elapsed;
    let alone = quiet().max(quiet());
    let ended = told(&["exec", "--", "echo", "started"]).run().expect_code(0);
    assert_eq!(ended.stdout, "started\n");
    let expected = "warning: traces and metrics were not sent to `http://127.0.0.1:1`: Connection refused (os error 111)";
    assert_eq!(warnings(&ended), [expected]);
    let shown = format!("{ended}");
    assert!(!shown.contains(KEY) && !shown.contains("secret-path") && !shown.contains("hush"), "{shown}");
    assert!(ended.elapsed < alone + MOST / 2, "nothing is waited for: {:?}, not {alone:?}", ended.elapsed);

    scene.project.set_migration("2_bad", "CREATE TABLE ship (name TEXT);");
    let ended = told(&["deploy"]).run().expect_code(65);
    assert_eq!(warnings(&ended), [expected]);
    let ended = told(&["deploy", "--output=json", "--log-format=json"]).run().expect_code(65);
    let document: serde_json::Value =
        serde_json::from_str(&ended.stdout).expect("the answer stays one document");
    assert_eq!(document["exit_code"], 65);
}

#[tokio::test]
async fn a_collector_that_hangs_keeps_a_run_for_two_seconds_and_no_longer() {
    let (_listener, endpoint) = hanging();
    let scene = sqlite().await;
    let began = Instant::now();
    let ended = scene.command(&["deploy"]).env(ENDPOINT, &endpoint).run().expect_code(0);
    assert!(began.elapsed() < 2 * MOST, "{:?}", began.elapsed());
    let expected = format!(
        "warning: traces and metrics were not sent to `{endpoint}`: it did not answer within 2000 ms"
    );
    assert_eq!(warnings(&ended), [expected]);
    let ended = scene.command(&["deploy"]).env(ENDPOINT, &endpoint).env("OTEL_EXPORTER_OTLP_TIMEOUT", "50");
    assert_says(&ended.run().expect_code(0).stderr, &["within 50 ms"]);
}

/// Who listens to signals anew, as telemetry does behind a run, needs no thread and no files of its own.
#[test]
fn one_thread_is_the_last_resort_of_a_whole_run() {
    let (listener, endpoint) = hanging();
    let project = Project::new(Provider::Sqlite).env_url("file:./dev.db").migration("1_init", "SELECT 1;");
    let running = plimsoll(&project).arg("deploy").env(ENDPOINT, &endpoint).spawn();
    let told = listener.accept().expect("telemetry is sent when the run is over");
    let tasks = std::fs::read_dir(format!("/proc/{}/task", running.pid())).expect("it is there");
    let names = tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("comm")));
    assert_eq!(names.flatten().filter(|name| name.trim_end() == "last resort").count(), 1);
    drop((told, listener));
    running.wait().expect_code(0);
}

/// Sends SIGTERM as soon as it is `ready`, and fails unless the program ends in time.
async fn terminated<T>(program: Program, ready: impl AsyncFnOnce() -> T) -> Transcript {
    let mut running = program.spawn();
    let _until_it_has_ended = ready().await;
    let sent = Instant::now();
    running.signal(Signal::TERM);
    let ended = running.wait();
    assert!(sent.elapsed() < MOST_AFTER_SIGNAL, "it took {:?}:\n{ended}", sent.elapsed());
    ended
}

#[tokio::test]
async fn a_signal_ends_the_wait_for_a_collector_and_the_command_is_not_started() {
    let (listener, endpoint) = hanging();
    let scene = sqlite().await;
    let program = scene.command(&["exec", "--", "echo", "started"]).env(ENDPOINT, &endpoint);
    // Telemetry is sent when the run is over: whoever connects is at it.
    let connected = async || {
        let accepted = tokio::task::spawn_blocking(move || listener.accept().map(|it| (it, listener)));
        accepted.await.expect("it does not panic")
    };
    let ended = terminated(program, connected).await.expect_code(143);
    assert_eq!(ended.stdout, "");
    assert_says(&ended.stderr, &["the command was not started", "a signal ended the wait"]);
    assert_eq!(scene.applied().await, ["1_init"]);
}

#[tokio::test]
async fn a_run_that_is_stopped_ends_in_time_though_the_collector_hangs_and_is_told_where_it_does_not() {
    const ASLEEP: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
                          WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let (_listener, endpoint) = hanging();
    let collector = Collector::start();
    for endpoint in [endpoint, collector.endpoint()] {
        let scene = Scene::new(POSTGRES).await.migration("1_slow", "SELECT pg_sleep(60);");
        let program = scene.command(&["deploy"]).env(ENDPOINT, &endpoint);
        let asleep = async || until_true(scene.postgres(), ASLEEP).await;
        let ended = terminated(program, asleep).await.expect_code(143);
        assert_says(&ended.stderr, &["PLM301"]);
    }
    let received = Received::by(&collector);
    assert_eq!(received.tree()[2..], ["plimsoll deploy > apply 1_slow !", "plimsoll deploy !"]);
    assert_eq!(received.of_span("plimsoll deploy", "plimsoll.outcome").as_deref(), Some("interrupted"));
    assert_eq!(received.of_span("plimsoll deploy", "process.exit.code").as_deref(), Some("143"));
}

/// Everything that can be late is: the server, which neither answers nor hears that it is to cancel anything, and the collector.
#[tokio::test]
async fn a_run_that_is_stopped_ends_in_time_though_neither_server_nor_collector_answers() {
    /// Two seconds, and room for a machine that has much to do: less than the parts of the end would take one behind the other.
    const END: Duration = Duration::from_millis(3400);
    /// Both are asleep by then, and the server stands still.
    const TIMEOUT: Duration = Duration::from_secs(8);
    const ASLEEP: &str = "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let (_listener, endpoint) = hanging();
    let server = PostgresServer::start(Version::V15, &Options::default());
    let (first, second) = (server.database().await, server.database().await);
    let [signalled, timed] = [&first, &second].map(|database| {
        let project = Project::new(Provider::Postgresql).env_url(database.url());
        project.migration("1_slow", "SELECT pg_sleep(60);")
    });
    let begun = Instant::now();
    let timed = plimsoll(&timed).args(["deploy", "--timeout=8s"]).env(ENDPOINT, &endpoint).spawn();
    let mut signalled = plimsoll(&signalled).arg("deploy").env(ENDPOINT, &endpoint).spawn();
    until_true(&first, ASLEEP).await;
    server.pause();
    let sent = Instant::now();
    signalled.signal(Signal::TERM);
    let ended = signalled.wait();
    let took = sent.elapsed();
    assert!(took < END, "it took {took:?}:\n{ended}");
    assert_says(&ended.expect_code(143).stderr, &["PLM301", "may be committed or not", "were not sent to"]);
    let ended = timed.wait();
    let took = begun.elapsed();
    server.resume();
    assert!(took < TIMEOUT + END, "it took {took:?}:\n{ended}");
    assert_says(&ended.expect_code(75).stderr, &["PLM309", "may be committed or not", "were not sent to"]);
}

#[tokio::test]
async fn a_private_authority_is_trusted_if_it_is_named_and_nobody_else_is() {
    let collector = Collector::start_with_tls();
    let files = collector.certificates();
    let scene = sqlite().await;
    let deploy = || telling(&scene, &collector, &["deploy"]);
    let ours = |program: Program| {
        program
            .env("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", files.client())
            .env("OTEL_EXPORTER_OTLP_CLIENT_KEY", files.client_key())
    };
    let authority = |program: Program| program.env("OTEL_EXPORTER_OTLP_CERTIFICATE", files.authority());
    for (program, why) in [
        (ours(deploy()).env("OTEL_EXPORTER_OTLP_CERTIFICATE", files.other_authority()), "UnknownIssuer"),
        (ours(deploy()).env("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem"), "`/no/such.pem`"),
        (authority(deploy()), "ertificate"),
    ] {
        let ended = program.run().expect_code(0);
        assert_eq!(warnings(&ended).len(), 1, "{ended}");
        assert_says(&ended.stderr, &["traces and metrics were not sent to `https://127.0.0.1", why]);
    }
    assert_eq!(collector.received(), "");
    let ended = authority(ours(deploy())).run().expect_code(0);
    assert_eq!((warnings(&ended), Received::by(&collector).count("traces")), (Vec::new(), 1));
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_one_line() {
    let collector = Collector::start();
    let scene = sqlite().await;
    let ended = telling(&scene, &collector, &["deploy"]).env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").run();
    let ended = ended.expect_code(0);
    let expected = "warning: `OTEL_EXPORTER_OTLP_PROTOCOL` is `grpc`, and only `http/protobuf` is spoken: nothing is sent";
    assert_eq!(warnings(&ended), [expected]);
    assert_eq!(collector.received(), "");
}
