//! Connection URLs: the sections Q, T and the end of 16.

use plimsoll_testkit::server::{Options, PostgresServer, Tls, Version};

use crate::expected::{datasource, head, pending};
use crate::scenario::{Scene, World};
use crate::scripts::THREE;

const SIX: World = World::Six;

/// Q. What Prisma takes and means nothing to a deploy is named, so that nobody relies on it.
#[tokio::test]
async fn parameters_that_prisma_takes_are_taken() {
    let mut scene = Scene::fresh(SIX).await;
    let socket = scene.postgres().server().socket_directory().display().to_string();
    let suffixes = [
        "?options=-c%20search_path%3Dpublic".to_owned(),
        "?connect_timeout=1&application_name=x".to_owned(),
        "?statement_cache_size=0".to_owned(),
        format!("?host={socket}"),
    ];
    for suffix in suffixes {
        scene
            .remark(&format!("the URL ends with {}", suffix.replace(&socket, "the directory of the socket")));
        let url = format!("{}{suffix}", scene.postgres().url());
        let program = scene.program(&["status"]).env("DATABASE_URL", url);
        let mut stdout = pending(SIX, 3, &THREE);
        if suffix.starts_with("?host") {
            // Prisma shows the address that it does not connect to.
            stdout = stdout.replace("127.0.0.1:<port>", "<server>");
        }
        scene.hear(program).exits(1).prints(&stdout).quietly();
    }
    insta::assert_snapshot!(scene.story());
}

/// Q. Prisma says nothing about a parameter that it does not know.
#[tokio::test]
async fn an_unknown_parameter_is_named() {
    let mut scene = Scene::fresh(SIX).await;
    let url = format!("{}?foo=bar", scene.postgres().url());
    let program = scene.program(&["status"]).env("DATABASE_URL", url);
    let said = scene.hear(program).exits(1).prints(&pending(SIX, 3, &THREE));
    said.warns("warning: parameters of the connection URL that mean nothing here: foo\n");
    insta::assert_snapshot!(scene.story());
}

/// Q. Prisma prints the datasource before it looks at the parameters; ours looks at the URL first.
#[tokio::test]
async fn a_parameter_that_is_no_number_is_refused() {
    let mut scene = Scene::fresh(SIX).await;
    let url = format!("{}?connection_limit=abc", scene.postgres().url());
    let program = scene.program(&["status"]).env("DATABASE_URL", url);
    scene.hear(program).fails(78, "P1013").says("connection_limit");
    insta::assert_snapshot!(scene.story());
}

/// Q.
#[tokio::test]
async fn tls_that_is_required_and_not_offered_is_an_error() {
    let server = PostgresServer::start(Version::V15, &Options::default().tls(Tls::Absent));
    let mut scene = Scene::fresh(SIX).await;
    let url = server.address("postgres").parameter("sslmode", "require").url();
    let program = scene.program(&["status"]).env("DATABASE_URL", url);
    let head = head(SIX).replace("<database>", "postgres");
    scene.hear(program).fails(78, "P1011").prints(&head);
    insta::assert_snapshot!(scene.story());
}

/// Q. Prisma takes `verify-full` for `prefer`, so that nothing is verified.
#[tokio::test]
async fn verify_full_verifies() {
    let mut scene = Scene::fresh(SIX).await;
    let url = scene.postgres().address().parameter("sslmode", "verify-full").url();
    let program = scene.program(&["status"]).env("DATABASE_URL", url);
    scene.hear(program).fails(78, "P1011");
    insta::assert_snapshot!(scene.story());
}

/// Q. With Prisma it is a syntax error, because it does not escape the name.
#[tokio::test]
async fn a_schema_with_a_quote_in_its_name_is_a_name() {
    let mut scene = Scene::fresh(SIX).await;
    let url = scene.postgres().address().parameter("schema", "we\"ird").url();
    let program = scene.program(&["deploy"]).env("DATABASE_URL", url);
    scene.hear(program).exits(0);
    scene.has_tables(&["we\"ird.Post", "we\"ird.User", "we\"ird._prisma_migrations"]).await;
    insta::assert_snapshot!(scene.story());
}

/// 16 and T. What cannot be reached is named, and the password is not, wherever it was cut.
#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let mut scene = Scene::fresh(SIX).await;
    let at = |database: &str, host: &str| {
        let datasource = datasource(SIX).replace("<database>", database).replace("127.0.0.1:<port>", host);
        format!("Prisma schema loaded from prisma/schema.prisma\n{datasource}\n")
    };
    let program = scene.program(&["deploy", "--wait=0"]);
    let program = program.env("DATABASE_URL", "postgresql://u:secret-word@no-such-host.invalid:5432/x");
    let said = scene.hear(program).fails(69, "P1001").prints(&at("x", "no-such-host.invalid:5432"));
    said.says("Can't reach database server at `no-such-host.invalid:5432`");
    assert!(!scene.story().contains("secret-word"));
    // Why there is no such host is told in the words of the system's C library.
    let story = scene.story();
    let (told, _) = story.split_once("failed to lookup").expect("it is told why");
    insta::assert_snapshot!(told);
}

/// 16. Prisma shows the second half of such a password as the name of the host and of the database.
#[tokio::test]
async fn an_unescaped_password_is_not_shown() {
    let mut scene = Scene::fresh(SIX).await;
    for url in
        ["postgresql://u:pa@ss-word/w@h/x", "postgresql://u:pa/ss-word@h/x", "postgresql://u:p#ss-word@h/x"]
    {
        let program = scene.program(&["deploy", "--wait=0"]).env("DATABASE_URL", url);
        let said = scene.hear(program);
        assert!(!said.everything().contains("ss-word"), "{}", said.everything());
    }
    insta::assert_snapshot!(scene.story());
}
