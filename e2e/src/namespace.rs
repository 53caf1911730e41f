//! A namespace for one scenario, and what can be done in it.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace as Kind;
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, Resource};
use serde_json::json;
use uuid::Uuid;

use crate::answer::Answer;
use crate::cluster::cluster;
use crate::image::Release;
use crate::{story, watch};

/// A namespace with a random name.
pub struct Namespace {
    name: String,
    client: Client,
}

/// How long a scenario may take, which waits for several things.
const SCENARIO_LIMIT: Duration = Duration::from_mins(10);

/// Runs a scenario in a namespace of its own. If it fails, or takes too long, the story of the namespace is told first, and the namespace
/// stays for as long as the cluster does.
pub async fn with_namespace(scenario: impl AsyncFnOnce(&Namespace)) {
    in_namespace(&json!({}), scenario).await;
}

/// The same, with labels on the namespace: those of Pod Security, for instance.
pub async fn in_namespace(labels: &serde_json::Value, scenario: impl AsyncFnOnce(&Namespace)) {
    let namespace = watch::within("a namespace is made", Namespace::create(labels)).await;
    let scenario = watch::at_most(SCENARIO_LIMIT, "the scenario ends", scenario(&namespace));
    match AssertUnwindSafe(scenario).catch_unwind().await {
        Ok(()) => watch::within("the namespace is deleted", namespace.delete()).await,
        Err(panic) => {
            story::tell(&namespace).await;
            std::panic::resume_unwind(panic);
        }
    }
}

impl Namespace {
    async fn create(labels: &serde_json::Value) -> Self {
        let name = format!("scenario-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let client = cluster().client().await;
        let object: Kind = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": labels }
        }))
        .expect("it is a namespace");
        let api: Api<Kind> = Api::all(client.clone());
        api.create(&PostParams::default(), &object).await.expect("the name is new");
        let namespace = Self { name, client };
        // Pods are refused until the controller has made it.
        namespace
            .until::<k8s_openapi::api::core::v1::ServiceAccount, _>("", "its account exists", |all| {
                (!all.is_empty()).then_some(())
            })
            .await;
        namespace
    }

    /// Nobody waits for its pods to end.
    async fn delete(&self) {
        let api: Api<Kind> = Api::all(self.client.clone());
        api.delete(&self.name, &DeleteParams::background()).await.expect("it is ours");
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The objects of one kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Builds the image of a release, pushes it to the registry, and returns its name.
    pub fn push(&self, release: &Release) -> String {
        self.push_as(release, &Uuid::new_v4().simple().to_string()[..8])
    }

    /// The same under a tag.
    pub fn push_as(&self, release: &Release, tag: &str) -> String {
        let name = format!("registry.test/{}/backend:{tag}", self.name);
        release.push(&name);
        name
    }

    /// Applies a manifest as a person does, and panics with what the API server says if it refuses.
    #[track_caller]
    pub fn apply(&self, manifest: &str) {
        self.try_to_apply(manifest).expect(manifest);
    }

    /// Applies a manifest, which may be refused.
    pub fn try_to_apply(&self, manifest: &str) -> Answer {
        self.kubectl(&["apply", "--filename=-"], manifest)
    }

    /// Runs `kubectl` in this namespace.
    pub fn kubectl(&self, words: &[&str], input: &str) -> Answer {
        cluster().kubectl(&[&["--namespace", self.name.as_str()], words].concat(), input)
    }

    /// Makes a Secret of strings, or changes the one that is there.
    pub fn secret(&self, name: &str, data: &[(&str, &str)]) {
        let strings: serde_json::Map<_, _> =
            data.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": strings,
        });
        self.apply(&object.to_string());
    }

    /// Returns when every replica of a Deployment is of its newest template, and available.
    pub async fn rollout_done(&self, deployment: &str) -> Deployment {
        let what = format!("the rollout of `{deployment}` is done");
        self.until(deployment, &what, |all: &[Deployment]| {
            all.iter().find(|one| watch::is_rolled_out(one)).cloned()
        })
        .await
    }

    /// Watches the objects of one kind until `look` finds something in them; panics if it does not in time. An empty
    /// name means all objects; a name with `=` in it selects by label.
    pub async fn until<K, T>(&self, name: &str, what: &str, look: impl FnMut(&[K]) -> Option<T>) -> T
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + Send
            + k8s_openapi::serde::de::DeserializeOwned
            + 'static,
    {
        watch::until(self.api(), name, what, look).await
    }
}
