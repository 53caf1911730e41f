//! Plimsoll on a real Kubernetes: the verbs that scenarios are made of.
//!
//! `cargo xtask e2e` starts a cluster and runs the scenarios in `tests/`. Each has a namespace and a database of its own:
//!
//! ```no_run
//! # async fn scenario() {
//! use plimsoll_e2e::{Release, with_namespace};
//!
//! with_namespace(async |ns| {
//!     let image = ns.push(&Release::number(1));
//!     ns.apply(&format!("apiVersion: apps/v1\nkind: Deployment\n# … image: {image}"));
//!     ns.rollout_done("my-backend-deployment").await;
//! })
//! .await;
//! # }
//! ```
//!
//! Everything here panics when it cannot do its work, and what fails tells its story: every pod described, every log.
//! Nothing sleeps: what a scenario waits for, it watches.
#![expect(clippy::missing_panics_doc, reason = "a testkit panics wherever a test has to fail")]

mod answer;
mod bench;
mod cluster;
mod database;
mod gate;
mod image;
mod namespace;
mod node;
mod pods;
mod story;
mod watch;

pub use answer::Answer;
pub use bench::{Bench, Client, project_file};
pub use cluster::{Cluster, cluster};
pub use database::{own_mysql, own_postgres, postgres, url_for_pods};
pub use gate::{inject, policies, try_to_inject};
pub use image::{Base, Release, push_example};
pub use namespace::{Namespace, in_namespace, with_namespace};
pub use node::{kill_containerd, kill_containerd_while};
pub use pods::{init, is_running, restarts, terminated};
pub use watch::{LIMIT, within};
