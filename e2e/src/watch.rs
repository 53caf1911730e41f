//! Waiting for the cluster, by watching it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Resource, ResourceExt as _};

/// How long anything may take to come true. Long, because a slow machine is no failure.
pub const LIMIT: Duration = Duration::from_mins(3);

/// Returns what comes of something, which may take as long as anything; panics if it takes longer.
pub fn within<T>(what: &str, work: impl Future<Output = T>) -> impl Future<Output = T> {
    at_most(LIMIT, what, work)
}

/// The same with another limit.
pub(crate) fn at_most<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    // A whole scenario is too large to be handed from one to the next.
    let work = Box::pin(work);
    async move {
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
    }
}

/// Looks at the objects whenever one of them changes, and returns what `look` finds.
pub(crate) async fn until<K, T>(api: Api<K>, name: &str, what: &str, look: impl FnMut(&[K]) -> Option<T>) -> T
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + DeserializeOwned + 'static,
{
    within(what, search(api, selection(name), look)).await
}

fn selection(name: &str) -> Config {
    match name {
        "" => Config::default(),
        label if label.contains('=') => Config::default().labels(label),
        name => Config::default().fields(&format!("metadata.name={name}")),
    }
}

async fn search<K, T>(api: Api<K>, which: Config, mut look: impl FnMut(&[K]) -> Option<T>) -> T
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + DeserializeOwned + 'static,
{
    let mut objects = BTreeMap::new();
    let mut complete = false;
    let mut events = pin!(watcher(api, which).default_backoff());
    loop {
        // An API server that is busy is tried again, and its reason is of no interest here: time is limited.
        let Ok(event) = events.try_next().await else { continue };
        match event.expect("a watch has no end") {
            Event::Init => {
                objects.clear();
                complete = false;
            }
            Event::InitApply(object) | Event::Apply(object) => {
                objects.insert(object.name_any(), object);
            }
            Event::Delete(object) => {
                objects.remove(&object.name_any());
            }
            Event::InitDone => complete = true,
        }
        let all: Vec<K> = objects.values().cloned().collect();
        // Half a list may look like something that is not so.
        if let Some(found) = complete.then(|| look(&all)).flatten() {
            return found;
        }
    }
}

/// Whether every replica is of the newest template, and available, and no other is left.
pub(crate) fn is_rolled_out(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let counts = [status.replicas, status.updated_replicas, status.available_replicas];
    status.observed_generation == deployment.metadata.generation
        && counts.iter().all(|count| count.unwrap_or(0) == wanted)
}
