//! What becomes of aliases: a gate writes them out where it has to, and without it they are back.

use plimsoll_inject::text::{Stream, Verbatim};
use plimsoll_inject::{Facts, Given, Injected, inject, remove};

/// The env, the command and a whole container of one place are named in another.
const ENV: &str = r#"x-env: &env
- name: DATABASE_URL
  value: "postgres://db/shop"
x-command: &command [npx, prisma, migrate, deploy]
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      initContainers:
      - name: migrate # by hand
        image: shop:1
        command: *command # as everywhere
        env: *env
      containers:
      - name: app
        image: shop:1
        env: *env
"#;

const CONTAINER: &str = r#"x-migrate: &migrate
  name: migrate
  image: shop:1
  command: [npx, prisma, migrate, deploy]
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      initContainers:
      - *migrate
      containers:
      - {name: app, image: "shop:1", env: [{name: DATABASE_URL, value: postgres://db}]}
"#;

const ANCHORED: &str = r"apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    metadata: {annotations: {}}
    spec:
      initContainers:
      - name: migrate
        image: shop:1
        command: &words [npx, prisma, migrate, deploy]
        env: &env
        - {name: DATABASE_URL, value: postgres://db}
      containers:
      - name: app
        image: shop:1
        note: *words # not a field, but a list
        env: *env
";

const BRACKETS: &str = r"x-word: &word deploy
x-env: &env [{name: DATABASE_URL, value: postgres://db}]
x-note: &note {who: me}
apiVersion: batch/v1
kind: Job
metadata: {name: shop, annotations: *note}
spec: {template: {spec: {restartPolicy: Never, containers: [
  {name: app, image: shop, command: [npx, prisma, migrate, *word], env: *env},
]}}}
";

fn parse(text: &str) -> Stream {
    Stream::parse("x.yaml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn given(flags: &[(&str, &str)]) -> Given {
    let mut given = Given::default();
    for (name, value) in flags {
        given.add(name, *value).expect("it is an option");
    }
    given
}

fn written(stream: &Stream, injected: &Injected) -> String {
    let mut verbatim = Verbatim::new();
    for restored in &injected.restored {
        verbatim.insert(restored.document, &restored.pointer, &restored.text);
    }
    stream.rewrite(&injected.documents, &verbatim).expect("it can be written")
}

fn gated(text: &str, flags: &[(&str, &str)]) -> String {
    let stream = parse(text);
    let texts = |document: usize, pointer: &str| stream.text_of(document, pointer).map(str::to_owned);
    let injected =
        inject(stream.documents(), &given(flags), &Facts::default(), &texts).expect("it gets a gate");
    written(&stream, &injected)
}

fn ungated(text: &str) -> String {
    let stream = parse(text);
    written(&stream, &remove(stream.documents(), &Given::default()).expect("the record can be read"))
}

#[test]
fn an_alias_that_a_gate_had_to_write_out_is_back_without_it() {
    for text in [ENV, CONTAINER, BRACKETS] {
        let once = gated(text, &[]);
        assert_ne!(once, text);
        assert_eq!(ungated(&once), text, "by way of\n{once}");
        let twice = gated(&once, &[]);
        assert_eq!(twice, once);
        assert_eq!(ungated(&twice), text);
    }
}

#[test]
fn what_other_options_leave_alone_is_written_as_it_was_before_the_first_gate() {
    for text in [ENV, CONTAINER] {
        let direct = gated(text, &[("existing", "keep")]);
        let second = gated(&gated(text, &[]), &[("existing", "keep")]);
        assert_eq!(second, direct);
        assert_eq!(ungated(&second), text);
    }
}

#[test]
fn an_alias_whose_anchor_has_got_another_value_since_stays_written_out() {
    let once = gated(ENV, &[]);
    let edited = once.replacen("postgres://db/shop", "postgres://new/shop", 1);
    let out = ungated(&edited);
    assert!(out.contains("command: *command # as everywhere\n"), "{out}");
    assert_eq!(out.matches("*env").count(), 1, "{out}");
    let pod = |text: &str| parse(text).documents()[0]["spec"]["template"]["spec"]["initContainers"].clone();
    assert_eq!(pod(&out), pod(ENV));
}

/// Nothing says there any more that the entry came from the merge key.
#[test]
fn what_came_from_a_merge_key_stays_written_out_and_means_the_same() {
    let text = CONTAINER.replace("- *migrate", "- <<: *migrate\n        tty: true");
    let out = ungated(&gated(&text, &[]));
    assert_ne!(out, text);
    assert_eq!(parse(&out).documents(), parse(&text).documents());
}

#[test]
fn of_several_anchors_with_one_name_an_alias_means_the_last_one_before_it() {
    let text = format!("x-first: &env []\n{ENV}x-last: &env [1]\n");
    assert_eq!(ungated(&gated(&text, &[])), text);
}

/// The first container that needs it usually has the anchor, and the gate is the first container.
#[test]
fn an_alias_of_what_the_gate_changes_is_back_without_it() {
    let once = gated(ANCHORED, &[]);
    assert!(once.contains("command: &words [plimsoll, deploy]") && !once.contains("env: *env"), "{once}");
    assert_eq!(ungated(&once), ANCHORED, "by way of\n{once}");
    assert_eq!(gated(&once, &[]), once);
}

/// A place in a record names the items of lists, and a word of a list has no name.
#[test]
fn an_alias_in_a_list_without_names_stays_written_out_and_means_the_same() {
    let text = ANCHORED.replace("*words #", "[*words] #");
    let out = ungated(&gated(&text, &[]));
    assert_eq!(out, text.replace("*words", "[npx, prisma, migrate, deploy]"));
}

/// The text of the command brings its anchor back, but nothing says before it is read what the alias will mean.
#[test]
fn an_alias_of_something_inside_of_what_the_gate_replaced_stays_written_out_and_means_the_same() {
    let text = ENV.replace("*command # as", "[npx, prisma, migrate, &word deploy] # as");
    let text = text.replace("      containers:", "      hostname: *word\n      containers:");
    let out = ungated(&gated(&text, &[]));
    assert_eq!(out, text.replace("*word", "deploy"));
    assert_eq!(parse(&out).documents(), parse(&text).documents());
}
