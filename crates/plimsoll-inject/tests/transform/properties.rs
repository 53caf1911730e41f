//! What holds for every object.

use plimsoll_inject::{Facts, inject, remove};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{given, text, try_inject};

const SCRIPTS: [&str; 6] = [
    "npx prisma migrate deploy",
    "npx prisma migrate deploy --schema=a && node x",
    "set -e\nnpx prisma migrate deploy\nnode x\n",
    "node x",
    "npx prisma db push",
    "npx prisma migrate deploy || true",
];

fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let env = prop::collection::vec(
        (prop::sample::select(vec!["DATABASE_URL", "DIRECT_URL", "OTHER"]), "[a-z$()]{0,6}"),
        0..3,
    );
    let command = prop::option::of(prop::sample::select(SCRIPTS.to_vec()));
    (env, command, any::<[bool; 4]>()).prop_map(move |(env, command, [mounts, secure, sidecar, sources])| {
        let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut container = json!({"name": name, "image": "a:1"});
        let mut set = |key: &str, value: Value| {
            container.as_object_mut().unwrap().insert(key.to_owned(), value);
        };
        match (command, sidecar) {
            (Some(script), true) => set("args", json!(["sh", "-c", script])),
            (Some(script), false) => set("command", json!(["sh", "-c", script])),
            _ => {}
        }
        set("env", json!(env));
        if mounts {
            set("volumeMounts", json!([{"name": "v", "mountPath": "/v"}]));
        }
        if secure {
            set("securityContext", json!({"runAsUser": 0}));
        }
        if sidecar && name.starts_with('i') {
            set("restartPolicy", json!("Always"));
        }
        if sources {
            set("envFrom", json!([{"secretRef": {"name": "s"}}]));
        }
        container
    })
}

fn workload() -> impl Strategy<Value = Value> {
    let init = prop::option::of((prop::option::of(container("i1")), container("i2")));
    let metadata = prop::sample::select(vec![
        json!({"name": "a"}),
        json!({"name": "a", "annotations": {}}),
        json!({"annotations": {"b": "c"}, "name": "a"}),
        json!({"name": "a", "annotations": null}),
    ]);
    (init, container("app"), prop::option::of(container("more")), metadata).prop_map(|(init, app, more, metadata)| {
        let containers: Vec<Value> = std::iter::once(app).chain(more).collect();
        let mut pod = json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}], "containers": containers});
        if let Some((first, second)) = init {
            pod["initContainers"] = json!(first.into_iter().chain([second]).collect::<Vec<_>>());
        }
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": pod}}})
    })
}

fn flags() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    prop::sample::subsequence(
        vec![
            ("all", "true"),
            ("secret", "s/k"),
            ("plimsoll-image", "p:1"),
            ("mode", "wait"),
            ("place", "last"),
            ("existing", "keep"),
            ("grace", "9"),
            ("progress-deadline", "9"),
            ("mount", "v"),
            ("security", "container"),
            ("schema", "x"),
        ],
        0..5,
    )
}

proptest! {
    #[test]
    fn twice_is_once_and_out_is_as_before(object in workload(), flags in flags()) {
        let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"z": "1", "a": "2"}});
        let documents = [other, object];
        let Ok(once) = try_inject(&documents, &flags) else { return Ok(()) };
        prop_assert_eq!(&once.documents[0], &documents[0]);
        let twice = try_inject(&once.documents, &flags).unwrap();
        prop_assert_eq!(text(&twice.documents), text(&once.documents));
        let out = remove(&once.documents, &given(&flags)).unwrap();
        prop_assert_eq!(text(&out.documents), text(&documents));
    }

    #[test]
    fn other_options_make_what_they_would_have_made_at_once(object in workload(), before in flags(), after in flags()) {
        let Ok(first) = try_inject(std::slice::from_ref(&object), &before) else { return Ok(()) };
        let Ok(direct) = try_inject(&[object], &after) else { return Ok(()) };
        let Ok(second) = try_inject(&first.documents, &after) else { return Ok(()) };
        // A gate that nothing asks for any more is kept.
        let is_asked_for = direct.documents[0].to_string().contains("plimsoll.dev/gate");
        if is_asked_for {
            prop_assert_eq!(text(&second.documents), text(&direct.documents));
        }
    }

    #[test]
    fn the_text_of_what_was_replaced_comes_back(object in workload()) {
        let texts = |_: usize, pointer: &str| Some(format!("text of {pointer}"));
        let facts = Facts::default();
        let Ok(once) = inject(std::slice::from_ref(&object), &given(&[]), &facts, &texts) else { return Ok(()) };
        let Ok(twice) = inject(&once.documents, &given(&[]), &facts, &|_, _| None) else { panic!("the second run failed") };
        prop_assert_eq!(text(&twice.documents), text(&once.documents));
        let out = remove(&twice.documents, &given(&[])).unwrap();
        for restored in &out.restored {
            prop_assert_eq!(&restored.text, &format!("text of {}", restored.pointer));
        }
    }
}
