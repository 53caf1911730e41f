//! Every recorded transcript of the real Prisma has its counterpart here: the same project, the same state of the
//! database, `plimsoll migrate …` instead of `prisma migrate …`.
//!
//! Each test asserts Prisma's lines on standard output, the exit code and the rows of the history, and keeps the whole
//! conversation as a snapshot. What differs on purpose is asserted as ours and listed in
//! `docs/prisma-compatibility.md`. The numbers and letters in the comments are those of the recorded sections.

mod applying;
mod config;
mod expected;
mod mysql;
mod postgres;
mod postgres_extras;
mod postgres_only;
mod projects;
mod resolving;
mod rows;
mod scenario;
mod scripts;
mod seven;
mod sqlite;
mod together;
mod url;
mod wrong;

/// Tells tales that are true in more than one world: each becomes a test with a snapshot of the whole conversation.
macro_rules! tales {
    ($world:expr; $($module:ident: $($claim:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $claim() {
                let mut scene = crate::scenario::Scene::new($world).await;
                crate::$module::$claim(&mut scene).await;
                insta::assert_snapshot!(stringify!($claim), scene.story());
            }
        )+)+
    };
}
pub(crate) use tales;
