//! What holds for every object.

use std::cell::Cell;

use plimsoll_inject::{Facts, Injected, inject, remove};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{given, text, try_inject};

/// What an application's container runs. Of the last ones some cannot be taken over: they are rare, so that most cases
/// compare something.
fn start() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        4 => Just(None),
        2 => Just(Some("npx prisma migrate deploy --schema=a && node x")),
        2 => Just(Some("set -e\nnpx prisma migrate deploy --schema=a\nnode x\n")),
        2 => Just(Some("npx prisma db push && node x")),
        1 => prop::sample::select(vec!["npx prisma migrate deploy", "npx prisma migrate deploy || true"]).prop_map(Some),
    ]
}

/// What an init container runs.
fn init() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        6 => Just(None),
        2 => Just(Some("npx prisma migrate deploy --schema=a")),
        2 => Just(Some("echo hello")),
        1 => Just(Some("npx prisma migrate deploy && npx prisma db seed")),
    ]
}

fn env() -> impl Strategy<Value = Vec<Value>> {
    let entry = |name: &'static str, value: String| json!({"name": name, "value": value});
    let more = prop::option::of((prop::sample::select(vec!["DIRECT_URL", "OTHER"]), "[a-z$()]{0,6}"));
    (prop::bool::weighted(0.9), "[a-z]{1,6}", more).prop_map(move |(has_url, url, more)| {
        let url = has_url.then(|| entry("DATABASE_URL", url));
        url.into_iter().chain(more.map(|(name, value)| entry(name, value))).collect()
    })
}

fn container(
    name: &'static str,
    script: impl Strategy<Value = Option<&'static str>>,
) -> impl Strategy<Value = Value> {
    let mounts = prop::bool::weighted(0.8);
    (env(), script, mounts, any::<[bool; 4]>()).prop_map(
        move |(env, script, mounts, [secure, sidecar, sources, in_args])| {
            let mut container = json!({"name": name, "image": "a:1"});
            let mut set = |key: &str, value: Value| {
                container.as_object_mut().unwrap().insert(key.to_owned(), value);
            };
            match script {
                Some(script) if in_args => set("args", json!(["sh", "-c", script])),
                Some(script) => set("command", json!(["sh", "-c", script])),
                None => {}
            }
            set("env", json!(env));
            if mounts {
                set("volumeMounts", json!([{"name": "v", "mountPath": "/v"}]));
            }
            if secure {
                set("securityContext", json!({"runAsUser": 0}));
            }
            // One that migrates blocks the others, so that nobody makes a sidecar of it.
            if sidecar && script.is_none() && name.starts_with('i') {
                set("restartPolicy", json!("Always"));
            }
            if sources {
                set("envFrom", json!([{"secretRef": {"name": "s"}}]));
            }
            container
        },
    )
}

fn workload() -> impl Strategy<Value = Value> {
    let init = prop::option::of((prop::option::of(container("i1", Just(None))), container("i2", init())));
    let metadata = prop::sample::select(vec![
        json!({"name": "a"}),
        json!({"name": "a", "annotations": {}}),
        json!({"annotations": {"b": "c"}, "name": "a"}),
        json!({"name": "a", "annotations": null}),
    ]);
    (init, container("app", start()), prop::option::of(container("more", Just(None))), metadata).prop_map(|(init, app, more, metadata)| {
        // Two that could mean different databases are an error, which compares nothing.
        let more = more.map(|mut more| {
            for key in ["env", "envFrom"] {
                more[key] = app.get(key).cloned().unwrap_or(json!([]));
            }
            more
        });
        let containers: Vec<Value> = std::iter::once(app).chain(more).collect();
        let mut pod = json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}], "containers": containers});
        if let Some((first, second)) = init {
            pod["initContainers"] = json!(first.into_iter().chain([second]).collect::<Vec<_>>());
        }
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": pod}}})
    })
}

/// The pointers of all texts in the pods of an object.
fn texts_in(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| texts_in(item, &format!("{at}/{index}"), found));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| texts_in(value, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
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

/// The object with passwords wherever it has a URL or a migration.
fn with_passwords(object: &Value) -> Value {
    let url = "postgres://u:hunter2@h/d";
    let migrates = format!("DATABASE_URL={url} npx prisma migrate");
    let mut object: Value =
        serde_json::from_str(&object.to_string().replace("npx prisma migrate", &migrates)).unwrap();
    let pod = &mut object["spec"]["template"]["spec"];
    for list in ["initContainers", "containers"] {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            for entry in container["env"].as_array_mut().unwrap() {
                entry["value"] = json!(url);
            }
        }
    }
    object
}

proptest! {
    #[test]
    fn no_password_is_recorded_and_none_is_made_up(object in workload(), before in flags(), after in flags()) {
        let object = with_passwords(&object);
        let mut documents = vec![object];
        for flags in [&before, &before, &after, &after] {
            let Ok(injected) = try_inject(&documents, flags) else { return Ok(()) };
            let made = &injected.documents[0];
            let record = made.pointer("/metadata/annotations/plimsoll.dev~1gate");
            prop_assert!(!record.is_some_and(|record| record.to_string().contains("hunter2")));
            prop_assert!(!made["spec"].to_string().contains("RECORD"), "{}", text(&injected.documents));
            // Two commands that can only be compared by their passwords may be an error, and never another result.
            if let Ok(again) = try_inject(&injected.documents, flags) {
                prop_assert_eq!(text(&again.documents), text(&injected.documents));
            }
            documents = injected.documents;
        }
        if let Ok(out) = remove(&documents, &given(&[])) {
            prop_assert!(!out.documents[0].to_string().contains("RECORD"), "{}", text(&out.documents));
        }
    }
}

/// Checks as many cases as proptest does elsewhere, and that most of them were no errors: what compares nothing proves
/// nothing.
fn most<S: Strategy>(strategy: &S, check: impl Fn(S::Value) -> Result<Compared, TestCaseError>) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let (cases, compared) = (config.cases, Cell::new(0));
    let result = TestRunner::new(config).run(strategy, |value| {
        compared.set(compared.get() + u32::from(check(value)? == Compared::Yes));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(compared.get() * 3 > cases * 2, "only {} of {cases} cases compare anything", compared.get());
}

#[derive(PartialEq)]
enum Compared {
    Yes,
    No,
}

#[test]
fn twice_is_once_and_out_is_as_before() {
    most(&(workload(), flags()), |(object, flags)| {
        let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"z": "1", "a": "2"}});
        let documents = [other, object];
        let Ok(once) = try_inject(&documents, &flags) else { return Ok(Compared::No) };
        prop_assert_eq!(&once.documents[0], &documents[0]);
        prop_assert_ne!(&once.documents[1], &documents[1]);
        let twice = try_inject(&once.documents, &flags).unwrap();
        prop_assert_eq!(text(&twice.documents), text(&once.documents));
        let out = remove(&once.documents, &given(&flags)).unwrap();
        prop_assert_eq!(text(&out.documents), text(&documents));
        Ok(Compared::Yes)
    });
}

#[test]
fn other_options_make_what_they_would_have_made_at_once() {
    most(&(workload(), flags(), flags()), |(object, before, after)| {
        let Ok(first) = try_inject(std::slice::from_ref(&object), &before) else { return Ok(Compared::No) };
        let Ok(direct) = try_inject(&[object], &after) else { return Ok(Compared::No) };
        let second = try_inject(&first.documents, &after).unwrap();
        prop_assert_eq!(text(&second.documents), text(&direct.documents));
        Ok(Compared::Yes)
    });
}

#[test]
fn the_text_of_what_was_replaced_comes_back() {
    let with_command = workload().prop_filter("something is replaced", |object| {
        object.to_string().contains("migrate deploy --schema=a")
    });
    most(&with_command, |object| {
        let texts = |_: usize, pointer: &str| Some(format!("text of {pointer}"));
        let facts = Facts::default();
        let Ok(once) = inject(std::slice::from_ref(&object), &given(&[]), &facts, &texts) else {
            return Ok(Compared::No);
        };
        let twice = inject(&once.documents, &given(&[]), &facts, &|_, _| None).unwrap();
        prop_assert_eq!(text(&twice.documents), text(&once.documents));
        let out = remove(&twice.documents, &given(&[])).unwrap();
        for restored in &out.restored {
            prop_assert_eq!(&restored.text, &format!("text of {}", restored.pointer));
        }
        prop_assert!(!out.restored.is_empty());
        Ok(Compared::Yes)
    });
}

proptest! {
    #[test]
    fn nothing_that_was_changed_by_hand_goes_without_a_word(
        object in workload(), before in flags(), after in flags(), which in any::<prop::sample::Index>(),
    ) {
        let Ok(first) = try_inject(&[object], &before) else { return Ok(()) };
        let mut object = first.documents[0].clone();
        let mut places = Vec::new();
        texts_in(&object["spec"], "/spec", &mut places);
        let place: &String = which.get(&places);
        *object.pointer_mut(place).unwrap() = json!("by-hand");
        let is_kept = |made: &Injected| {
            let said = format!("{:?}", made.outcomes);
            made.documents[0].to_string().contains("by-hand") || said.contains("gone with") || said.contains("was gone")
        };
        if let Ok(second) = try_inject(std::slice::from_ref(&object), &after) {
            prop_assert!(is_kept(&second), "{}\n{}", place, text(&second.documents));
            let third = try_inject(&second.documents, &after).unwrap();
            prop_assert_eq!(text(&third.documents), text(&second.documents));
        }
        if let Ok(out) = remove(&[object], &given(&[])) {
            prop_assert!(is_kept(&out), "{}\n{}", place, text(&out.documents));
        }
    }
}
