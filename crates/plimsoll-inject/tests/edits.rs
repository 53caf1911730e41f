//! Typical edits, as people will see them.

use insta::assert_snapshot;
use plimsoll_inject::text::{Stream, Verbatim, diff};
use serde_json::{Value, json};

/// The diff that a change of the first document makes.
fn change(text: &str, change: impl Fn(&mut Value)) -> String {
    let stream = Stream::parse("x.yaml", text).expect("the text is one that can be read");
    let mut wanted = stream.documents().to_vec();
    change(&mut wanted[0]);
    let after = stream.rewrite(&wanted, &Verbatim::new()).expect("the text is one that can be changed");
    diff("x.yaml", text, &after)
}

fn gate() -> Value {
    json!({
        "name": "plimsoll",
        "image": "app:1",
        "command": ["plimsoll", "deploy"],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}],
        "securityContext": {"runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
        "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}},
    })
}

fn first(list: &str) -> impl Fn(&mut Value) {
    move |pod| pod[list].as_array_mut().expect("it is a list").insert(0, gate())
}

fn new_key(pod: &mut Value) {
    let Value::Object(map) = pod else { panic!("{pod}") };
    let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
    let at = entries.iter().position(|(name, _)| name == "containers").expect("a pod has containers");
    entries.insert(at, ("initContainers".into(), json!([gate()])));
    *map = entries.into_iter().collect();
}

#[test]
fn a_new_list_goes_before_the_containers() {
    assert_snapshot!(change("a: 1 # one\n# the app\ncontainers:\n- name: app # two\n", new_key));
    assert_snapshot!(change("containers:\n    -   name: app\n", new_key));
    assert_snapshot!(change("{containers: [{name: app}]}\n", new_key));
    assert_snapshot!(change("{\"containers\":[{\"name\":\"app\"}]}", new_key));
    assert_snapshot!(change("{\n\t\"containers\": [\n\t\t{\"name\": \"app\"}\n\t]\n}\n", new_key));
}

#[test]
fn a_container_goes_before_the_others() {
    assert_snapshot!(change("list:\n  # the first\n  - name: a\n    image: b\n", first("list")));
    assert_snapshot!(change("list: [] # none yet\nother: 1\n", first("list")));
    assert_snapshot!(change("list: [{ name: a }]\n", first("list")));
}

#[test]
fn a_command_is_exchanged_and_its_neighbours_stay() {
    let text =
        "name: a # who\ncommand:\n  - sh\n  - -c\n  - |\n    npx prisma migrate deploy\n# then\nimage: 'x'\n";
    assert_snapshot!(change(text, |pod| pod["command"] = json!(["plimsoll", "deploy"])));
}

#[test]
fn an_alias_is_written_out_where_it_is_to_differ() {
    let text = "a: &env\n- name: A\nb: *env\nc:\n  <<: &base {x: 1, y: 2}\n  z: 3\n";
    assert_snapshot!(change(text, |pod| {
        pod["b"] = json!([{"name": "B"}, {"name": "A"}]);
        pod["c"]["x"] = json!(9);
    }));
}

#[test]
fn an_anchor_changes_and_what_names_it_stays_as_it_was() {
    let text = "a: &env\n- name: A\nb: *env\n";
    assert_snapshot!(change(text, |pod| pod["a"] = json!([{"name": "A"}, {"name": "B"}])));
    assert_snapshot!(change(text, |pod| {
        pod["a"] = json!([{"name": "A"}, {"name": "B"}]);
        pod["b"] = pod["a"].clone();
    }));
}

#[test]
fn a_string_that_the_text_ends_in_gets_no_line_break_from_what_follows_it() {
    assert_snapshot!(change("list: [a]\nlast: |\n  text", |pod| pod["new"] = json!({"a": "b\nc"})));
}
