//! Which authorities are trusted in the image, and where only the binary is.

use plimsoll_core::Provider;
use plimsoll_testkit::address::Address;
use plimsoll_testkit::server::{Version, postgres};
use plimsoll_testkit::transcript::Transcript;

use crate::container::Image;
use crate::databases::{SCHEMA, ships};

const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

fn deploy(image: &Image, address: Address) -> Transcript {
    let url = address.parameter("sslrootcert", "system").url();
    image.run(&ships(Provider::Postgresql, &url), &["deploy", SCHEMA]).run()
}

#[tokio::test]
async fn the_authorities_of_the_image_are_asked_and_do_not_know_a_private_one() {
    let database = postgres(Version::V15).database().await;
    let refused = deploy(&Image::plain(), database.address());
    assert_eq!(refused.code(), Some(78), "{refused}");
    assert!(refused.stderr.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_bundle_that_is_mounted_over_that_of_the_image_is_trusted() {
    let server = postgres(Version::V15);
    let database = server.database().await;
    let image = Image::plain();
    std::fs::copy(server.certificates().authority(), image.file(BUNDLE)).expect("both are files");
    deploy(&image, database.address()).expect_code(0);
}

#[tokio::test]
async fn where_only_the_binary_was_copied_it_says_that_there_are_no_authorities() {
    let database = postgres(Version::V15).database().await;
    let image = Image::plain();
    std::fs::remove_file(image.file(BUNDLE)).expect("the image has a bundle");
    let refused = deploy(&image, database.address());
    assert_eq!(refused.code(), Some(78), "{refused}");
    assert!(refused.stderr.contains("the system has no root certificates"), "{refused}");
}

#[tokio::test]
async fn a_bundle_can_be_named_by_the_variable_that_others_use_too() {
    let server = postgres(Version::V15);
    let database = server.database().await;
    let image = Image::plain();
    let url = database.address().parameter("sslrootcert", "system").url();
    let project = ships(Provider::Postgresql, &url);
    let authority = std::fs::read(server.certificates().authority()).expect("it is a file");
    project.write("authority.pem", authority);
    let deploy = image.run(&project, &["deploy", SCHEMA]).env("SSL_CERT_FILE", "/app/authority.pem");
    deploy.run().expect_code(0);
}
