//! A database that is found by its name, as the resolver of a pod finds names.

use plimsoll_e2e::{Release, restarts};

use crate::scene::{APP, applied, deployment, with_scene};

/// The cluster knows `database.shop.svc.cluster.local`. With `ndots:5`, every search domain is tried with `database.shop`
/// before the name itself: the first of them does not know it, the second does.
#[tokio::test]
async fn a_short_name_is_found_through_the_search_domains_of_the_cluster() {
    with_scene(async |ns, database| {
        ns.secret("database-secret", &[("database_url", &database.address().host("database.shop").url())]);
        ns.apply(&deployment(&ns.push(&Release::number(1))));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        let resolver =
            ns.kubectl(&["exec", "deploy/my-backend-deployment", "--", "cat", "/etc/resolv.conf"], "");
        let resolver = resolver.expect("the container has a shell");
        assert!(
            resolver.contains(&format!("search {}.svc.cluster.local svc.cluster.local", ns.name())),
            "{resolver}"
        );
        assert!(resolver.contains("ndots:5"), "{resolver}");
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}
