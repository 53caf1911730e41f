//! Finding a database by name as pods do: five dots make a name absolute, all others are looked for in the cluster first.

use plimsoll_core::Provider;
use plimsoll_testkit::server::{Version, postgres};
use plimsoll_testkit::transcript::Transcript;

use crate::container::Image;
use crate::databases::{SCHEMA, ships};
use crate::dns::{Dns, as_in_a_pod};

/// Deploys to a database under another name, and returns what DNS was asked.
async fn asked_for(test: u8, host: &str, known: &str) -> Vec<String> {
    let address = Dns::address(test);
    let dns = Dns::start(&address, &[known]);
    let image = Image::plain();
    as_in_a_pod(&image, &address);
    deploy(&image, host, &["--wait=0"]).await.expect_code(0);
    dns.questions()
}

async fn deploy(image: &Image, host: &str, flags: &[&str]) -> Transcript {
    let database = postgres(Version::V15).database().await;
    let project = ships(Provider::Postgresql, &database.address().host(host).url());
    let arguments: Vec<_> = ["deploy", SCHEMA].iter().chain(flags).copied().collect();
    image.run(&project, &arguments).run()
}

#[tokio::test]
async fn a_service_is_found_by_its_short_name() {
    let asked = asked_for(1, "db", "db.harbour.svc.cluster.local").await;
    assert_eq!(asked, ["db.harbour.svc.cluster.local"]);
}

#[tokio::test]
async fn a_service_of_another_namespace_is_found_by_both_names() {
    let asked = asked_for(2, "db.yard", "db.yard.svc.cluster.local").await;
    assert_eq!(asked, ["db.yard.harbour.svc.cluster.local", "db.yard.svc.cluster.local"]);
}

#[tokio::test]
async fn the_whole_name_of_a_service_is_found_behind_every_search_domain() {
    let name = "db.harbour.svc.cluster.local";
    let asked = asked_for(3, name, name).await;
    assert_eq!(asked.last().map(String::as_str), Some(name));
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[tokio::test]
async fn a_name_with_a_dot_at_its_end_is_asked_for_once() {
    let name = "db.harbour.svc.cluster.local";
    assert_eq!(asked_for(4, &format!("{name}."), name).await, [name]);
}

#[tokio::test]
async fn a_database_outside_of_the_cluster_is_found_last() {
    let asked = asked_for(5, "db.example.org", "db.example.org").await;
    assert_eq!(asked.last().map(String::as_str), Some("db.example.org"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_said_to_be_unreachable() {
    let address = Dns::address(6);
    let _dns = Dns::start(&address, &["db.harbour.svc.cluster.local"]);
    let image = Image::plain();
    as_in_a_pod(&image, &address);
    let refused = deploy(&image, "nowhere", &["--wait=0"]).await.expect_code(69);
    assert!(refused.stderr.contains("P1001") && refused.stderr.contains("nowhere:"), "{refused}");
}

#[tokio::test]
async fn a_dns_that_comes_up_late_is_waited_for() {
    let address = Dns::address(7);
    let image = Image::plain();
    as_in_a_pod(&image, &address);
    let database = postgres(Version::V15).database().await;
    let project = ships(Provider::Postgresql, &database.address().host("db").url());
    let running = image.run(&project, &["deploy", SCHEMA, "--wait=60"]).spawn();
    running.wait_for_stderr("waiting");
    let _dns = Dns::start(&address, &["db.harbour.svc.cluster.local"]);
    running.wait().expect_code(0);
}
