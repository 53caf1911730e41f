//! A plugin of kubectl's: a program with a certain name.

use plimsoll_e2e::{Bench, Client};

use crate::objects::SEED;

#[test]
fn kubectl_finds_a_link_with_the_name_of_a_plugin() {
    let bench = Bench::new();
    let list = bench.run(Client::Kubectl, &["plugin", "list"]).expect("`kubectl plugin list`");
    assert!(list.contains("/kubectl-plimsoll"), "{list}");
    let without = Bench::without_plimsoll().run(Client::Kubectl, &["plimsoll", "inject", "--help"]);
    assert!(!without.succeeded, "kubectl by itself has no such command");
}

#[test]
fn kubectl_plimsoll_inject_is_plimsoll_inject() {
    let bench = Bench::new();
    bench.write("deployment.yaml", SEED);
    let inject = ["inject", "--if-ahead=refuse", "deployment.yaml"];
    let plugin = bench.run(Client::Kubectl, &[&["plimsoll"], &inject[..]].concat());
    let alone = bench.run(Client::Plimsoll, &inject).expect("`plimsoll inject`");
    assert_eq!(plugin.expect("`kubectl plimsoll inject`"), alone);
    assert_ne!(alone, SEED);
}

#[test]
fn kubectl_plimsoll_calls_itself_so_and_passes_its_exit_code_on() {
    let bench = Bench::new();
    let help = bench.run(Client::Kubectl, &["plimsoll", "inject", "--help"]).expect("`--help`");
    assert!(help.contains("Usage: kubectl plimsoll inject"), "{help}");
    bench.write("deployment.yaml", SEED);
    let check = bench.run(Client::Kubectl, &["plimsoll", "inject", "--check", "deployment.yaml"]);
    assert!(!check.succeeded, "it is not gated yet");
}
