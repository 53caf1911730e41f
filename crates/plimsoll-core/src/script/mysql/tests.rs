use super::*;

fn mysql() -> Server {
    Server::parse("8.0.15", "")
}

#[test]
fn a_script_of_two_is_two() {
    let texts: Vec<_> = split("SELECT 1; SELECT 2", &mysql()).unwrap().iter().map(|s| s.text).collect();
    assert_eq!(texts, ["SELECT 1", "SELECT 2"]);
}
