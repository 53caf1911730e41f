//! What people and other tools change after a run, and what another run and `--remove` make of it.

use plimsoll_inject::{Injected, remove};
use serde_json::{Value, json};

use crate::support::{app, deployment, given, init_containers, pod_in_deployment, text, try_inject};

const START: &str = "cd /srv && npx prisma migrate deploy --schema=a && node dist/index.js";

fn started(script: &str) -> Value {
    let mut app = app();
    app["command"] = json!(["sh", "-c", script]);
    deployment(app)
}

fn once(object: &Value, flags: &[(&str, &str)]) -> Value {
    try_inject(std::slice::from_ref(object), flags).unwrap().documents.remove(0)
}

/// Another run: what it makes, which yet another one does not change, and what it says.
fn again(object: &Value, flags: &[(&str, &str)]) -> (Value, String) {
    let second = try_inject(std::slice::from_ref(object), flags).unwrap();
    let third = try_inject(&second.documents, flags).unwrap();
    assert_eq!(text(&third.documents), text(&second.documents));
    let said = said(&second);
    (second.documents.into_iter().next().unwrap(), said)
}

fn out(object: &Value) -> (Value, String) {
    let removed = remove(std::slice::from_ref(object), &given(&[])).unwrap();
    let said = said(&removed);
    (removed.documents.into_iter().next().unwrap(), said)
}

fn said(injected: &Injected) -> String {
    let outcome = &injected.outcomes[0];
    [outcome.reasons.as_slice(), &outcome.advice].concat().join("\n")
}

fn pod(object: &mut Value) -> &mut Value {
    &mut object["spec"]["template"]["spec"]
}

fn script(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["containers"][0]["command"][2]
}

#[test]
fn a_start_command_that_was_changed_since_stays_and_the_gate_keeps_its_arguments() {
    let mut object = once(&started(START), &[]);
    pod(&mut object)["containers"][0]["command"][2] = json!("cd /srv && node dist/server.js");
    let (second, said) = again(&object, &[]);
    assert_eq!(script(&second), "cd /srv && node dist/server.js");
    assert_eq!(init_containers(&second)[0]["args"], json!(["--schema=a"]));
    let sentence = "`command` of container `app` was changed after the last run, and stays as it is now";
    assert!(said.contains(sentence), "{said}");
    let (removed, said) = out(&second);
    assert_eq!(script(&removed), "cd /srv && node dist/server.js");
    assert!(said.contains("`command` of container `app` was changed after the gate was put in"), "{said}");
}

#[test]
fn a_migration_that_came_back_into_a_start_command_is_looked_at_afresh() {
    let mut object = once(&started(START), &[]);
    pod(&mut object)["containers"][0]["command"][2] =
        json!("npx prisma migrate deploy --schema=b && node dist/server.js");
    let (second, _) = again(&object, &[]);
    assert_eq!(script(&second), "node dist/server.js");
    assert_eq!(init_containers(&second)[0]["args"], json!(["--schema=b"]));
    assert_eq!(script(&out(&second).0), "npx prisma migrate deploy --schema=b && node dist/server.js");
}

#[test]
fn a_copy_of_a_gated_manifest_keeps_its_own_command() {
    let mut object = once(&started(START), &[]);
    object["metadata"]["name"] = json!("worker");
    pod(&mut object)["containers"][0]["command"][2] = json!("node dist/worker.js");
    assert_eq!(script(&again(&object, &[]).0), "node dist/worker.js");
    // A container of another name: nobody knows any more what its migration was but the gate.
    pod(&mut object)["containers"][0]["name"] = json!("worker");
    let (second, _) = again(&object, &[]);
    assert_eq!(script(&second), "node dist/worker.js");
    assert_eq!(init_containers(&second)[0]["args"], json!(["--schema=a"]));
}

#[test]
fn what_was_added_to_the_gate_by_hand_stays_and_the_rest_follows_the_options() {
    let mut object = once(&deployment(app()), &[]);
    let gate = &mut pod(&mut object)["initContainers"][0];
    gate["resources"]["limits"]["memory"] = json!("1Gi");
    gate["env"].as_array_mut().unwrap().insert(0, json!({"name": "PLIMSOLL_IF_AHEAD", "value": "refuse"}));
    let by_hand = object.clone();
    let (second, said) = again(&object, &[]);
    assert_eq!(init_containers(&second), init_containers(&by_hand));
    assert!(said.contains("`resources` of container `plimsoll` was changed after the last run"), "{said}");
    assert!(said.contains("`env/PLIMSOLL_IF_AHEAD` of container `plimsoll`"), "{said}");
    let (other, _) = again(&second, &[("wait", "5m"), ("name", "gate")]);
    let gate = &init_containers(&other)[0];
    assert_eq!((&gate["name"], &gate["args"]), (&json!("gate"), &json!(["--wait=5m"])));
    assert_eq!(gate["env"][0]["name"], "PLIMSOLL_IF_AHEAD");
    let (removed, said) = out(&other);
    assert_eq!(text(&[removed]), text(&[deployment(app())]));
    assert!(said.contains("container `gate` was changed after it was put in"), "{said}");
}

#[test]
fn what_was_taken_from_the_gate_by_hand_stays_away() {
    let mut object = once(&deployment(app()), &[]);
    pod(&mut object)["initContainers"][0].as_object_mut().unwrap().shift_remove("resources");
    let (second, _) = again(&object, &[]);
    assert!(init_containers(&second)[0].get("resources").is_none());
}

#[test]
fn what_another_tool_changes_everywhere_is_nobodys_change() {
    let mut object = once(&deployment(app()), &[]);
    for list in ["initContainers", "containers"] {
        pod(&mut object)[list][0]["image"] = json!("shop:2");
    }
    let (second, said) = again(&object, &[]);
    assert_eq!(init_containers(&second)[0]["image"], "shop:2");
    assert!(!said.contains("stays as it is"), "{said}");
    assert_eq!(out(&second).0["spec"]["template"]["spec"]["containers"][0]["image"], "shop:2");
    // The gate is made from its container: one image that follows is enough.
    pod(&mut object)["initContainers"][0]["image"] = json!("shop:1");
    assert_eq!(init_containers(&again(&object, &[]).0)[0]["image"], "shop:2");
}

fn migrating(env: &Value) -> Value {
    let script = "DATABASE_URL=file:/a npx prisma migrate deploy";
    let init = json!({"name": "migrate", "image": "shop:1", "command": ["sh", "-c", script], "env": env});
    pod_in_deployment(json!({"initContainers": [init], "containers": [app()]}))
}

#[test]
fn a_url_that_was_moved_into_a_secret_by_hand_stays_there() {
    let original = migrating(&json!([{"name": "DATABASE_URL", "value": "file:/b"}]));
    let mut object = once(&original, &[]);
    let moved = json!({"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    let entry = &mut pod(&mut object)["initContainers"][0]["env"][0];
    assert_eq!(entry["value"], "file:/a");
    *entry = moved.clone();
    let (second, said) = again(&object, &[]);
    assert_eq!(init_containers(&second)[0]["env"][0], moved);
    assert!(said.contains("`env/DATABASE_URL` of container `migrate` was changed"), "{said}");
    assert_eq!(init_containers(&out(&second).0)[0]["env"], json!([moved]));
}

#[test]
fn the_words_of_a_gate_that_prisma_was_before_stay_and_go_with_it() {
    let original = migrating(&json!([]));
    let mut object = once(&original, &[]);
    pod(&mut object)["initContainers"][0]["args"] = json!(["--if-ahead=refuse"]);
    let (second, said) = again(&object, &[]);
    let gate = &init_containers(&second)[0];
    assert_eq!(
        (&gate["command"], &gate["args"]),
        (&json!(["plimsoll", "deploy"]), &json!(["--if-ahead=refuse"]))
    );
    assert!(said.contains("`args` of container `migrate` was changed"), "{said}");
    let (removed, said) = out(&second);
    assert_eq!(text(&[removed]), text(&[original]));
    assert!(said.contains("that is gone with the gate"), "{said}");
}

#[test]
fn a_pods_field_that_was_set_again_by_hand_stays() {
    let mut object = once(&deployment(app()), &[("grace", "60")]);
    pod(&mut object)["terminationGracePeriodSeconds"] = json!(90);
    for flags in [&[("grace", "60")][..], &[]] {
        assert_eq!(again(&object, flags).0["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 90);
    }
    assert_eq!(out(&object).0["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 90);
}

#[test]
fn an_annotation_of_somebody_else_outlives_the_null_that_was_there() {
    let mut object = deployment(app());
    object["metadata"]["annotations"] = Value::Null;
    let mut object = once(&object, &[]);
    object["metadata"]["annotations"]["theirs"] = json!("x");
    assert_eq!(out(&object).0["metadata"]["annotations"], json!({"theirs": "x"}));
}

const PASSWORD: &str = "postgres://u:hunter2@h/d";

fn record(object: &Value) -> &str {
    object["metadata"]["annotations"]["plimsoll.dev/gate"].as_str().unwrap()
}

#[test]
fn a_password_that_a_secret_replaces_is_not_recorded_and_does_not_come_back() {
    let mut original = migrating(&json!([{"name": "DATABASE_URL", "value": PASSWORD}]));
    pod(&mut original)["initContainers"][0]["command"] = json!(["npx", "prisma", "migrate", "deploy"]);
    let flags = [("secret", "owner/url")];
    let first = try_inject(std::slice::from_ref(&original), &flags).unwrap();
    assert!(said(&first).contains("`--remove` cannot give it back"), "{}", said(&first));
    let object = &first.documents[0];
    assert!(!object.to_string().contains("hunter2"), "{object}");
    assert_eq!(again(object, &flags).0, *object);
    let (plain, said) = again(object, &[]);
    assert_eq!(init_containers(&plain)[0]["env"][0]["valueFrom"]["secretKeyRef"]["name"], "owner");
    assert!(said.contains("stays as an earlier run made it"), "{said}");
    for object in [object, &plain] {
        let (removed, said) = out(object);
        assert!(said.contains("`env/DATABASE_URL` of container `migrate` is not given back"), "{said}");
        assert_eq!(init_containers(&removed)[0]["command"], init_containers(&original)[0]["command"]);
        assert!(!removed.to_string().contains("hunter2") && !removed.to_string().contains("RECORD"));
    }
}

#[test]
fn a_password_in_a_start_command_stands_in_the_gate_alone() {
    let object = once(&started(&format!("DATABASE_URL={PASSWORD} npx prisma migrate deploy && node x")), &[]);
    assert!(!record(&object).contains("hunter2"));
    let url = json!({"name": "DATABASE_URL", "value": PASSWORD});
    assert!(init_containers(&object)[0]["env"].as_array().unwrap().contains(&url));
    assert_eq!(again(&object, &[]).0, object);
    let (secret, _) = again(&object, &[("secret", "owner/url")]);
    assert!(!secret.to_string().contains("hunter2"), "{secret}");
    let (removed, said) = out(&object);
    assert_eq!(script(&removed), "node x");
    assert!(said.contains("`command` of container `app` is not given back"), "{said}");
}

#[test]
fn a_password_that_only_the_record_could_know_is_asked_for() {
    let script = format!("DATABASE_URL={PASSWORD} npx prisma migrate deploy && node x");
    let mut object = once(&started(&script), &[("secret", "owner/url")]);
    pod(&mut object).as_object_mut().unwrap().shift_remove("initContainers");
    let trouble = crate::support::trouble(std::slice::from_ref(&object), &[]);
    assert!(trouble.starts_with("PLM436") && trouble.contains("`--secret NAME/KEY`"), "{trouble}");
}

#[test]
fn a_gate_whose_command_held_a_password_is_not_called_removed() {
    let script = format!("DATABASE_URL={PASSWORD} npx prisma migrate deploy");
    for command in
        [json!({"command": ["sh", "-c", script]}), json!({"command": ["sh", "-c"], "args": [script]})]
    {
        let mut original = migrating(&json!([]));
        pod(&mut original)["initContainers"][0]
            .as_object_mut()
            .unwrap()
            .extend(command.as_object().unwrap().clone());
        let object = once(&original, &[]);
        assert!(!record(&object).contains("hunter2"));
        assert_eq!(again(&object, &[]).0, object);
        let troubles = remove(&[object], &given(&[])).unwrap_err();
        assert!(troubles[0].diagnostic.to_string().starts_with("PLM436"), "{troubles:?}");
    }
}

#[test]
fn a_gate_that_was_renamed_is_not_called_removed() {
    for original in [deployment(app()), migrating(&json!([]))] {
        let mut object = once(&original, &[]);
        pod(&mut object)["initContainers"][0]["name"] = json!("gate");
        let troubles = remove(std::slice::from_ref(&object), &given(&[])).unwrap_err();
        let trouble = &troubles[0].diagnostic;
        assert!(
            trouble.to_string().starts_with("PLM436") && trouble.help[0].contains("give it back its name")
        );
        let (second, said) = again(&object, &[]);
        assert_eq!(second, object);
        assert!(said.contains("if it was renamed, `--remove` needs its old name"), "{said}");
        object["metadata"]["labels"] = json!({"plimsoll.dev/inject": "false"});
        assert!(crate::support::trouble(&[object], &[]).starts_with("PLM436"));
    }
}

#[test]
fn a_gate_that_was_deleted_by_hand_is_put_in_again_and_that_is_said() {
    let original = deployment(app());
    let mut object = once(&original, &[]);
    pod(&mut object).as_object_mut().unwrap().shift_remove("initContainers");
    let (second, said) = again(&object, &[]);
    assert_eq!(init_containers(&second)[0]["name"], "plimsoll");
    assert!(said.contains("container `plimsoll` of an earlier run was gone"), "{said}");
}

/// An init container that became the gate is one no longer, since its own command is to be kept.
#[test]
fn what_was_made_of_a_gates_command_goes_with_it_or_is_the_containers_own() {
    // The database is that of an `envFrom`, which the gate has for the sake of the command alone.
    let env = json!([{"secretRef": {"name": "s"}}]);
    let migrates = json!({
        "name": "i", "image": "a:1", "envFrom": env, "command": ["sh", "-c", "npx prisma migrate deploy --schema=a"],
    });
    let mut app = app();
    app["envFrom"] = env;
    app["command"] = json!(["sh", "-c", "npx prisma db push && node x"]);
    let object = pod_in_deployment(json!({"containers": [app], "initContainers": [migrates.clone()]}));
    let gated = once(&object, &[]);
    assert_eq!(init_containers(&gated)[0]["command"][0], "plimsoll", "{gated:#}");
    for (word, stays) in [(0, false), (1, true)] {
        let mut by_hand = gated.clone();
        pod(&mut by_hand)["initContainers"][0]["command"][word] = json!("by-hand");
        let (second, said) = again(&by_hand, &[("existing", "keep")]);
        let own = &init_containers(&second)[1];
        assert_eq!(own["command"][word] == "by-hand", stays, "{second:#}");
        assert_eq!(own["command"] == migrates["command"], !stays, "{second:#}");
        assert_eq!(said.contains("that is gone with it"), !stays, "{said}");
    }
}
