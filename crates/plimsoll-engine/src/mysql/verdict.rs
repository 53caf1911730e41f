//! Whether a definition took effect, from what the catalog said before it and says now.

use plimsoll_core::script::mysql::{Caveat, Definition, Flavour, Object, ObjectKind, Objects, Server, Verb};

use super::fingerprint::{ABSENT, EMPTY, Facts, HIDDEN, NONE_IS_THERE, SERVER, key};
use super::sql;

/// What is to be done about a definition that was under way when its runner died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It took effect.
    Done,
    /// It did not: it is sent.
    NotYet,
    /// A part of it did: these statements are the rest.
    Rest(Vec<String>),
    /// Nobody can tell; in words for people.
    Unclear(&'static str),
}

/// From when on a single definition of transactional tables happens entirely or not at all.
pub(super) fn is_atomic(server: Server) -> bool {
    match server.flavour {
        Flavour::Mysql => server.version >= 80_000,
        Flavour::Mariadb => server.version >= 100_600,
    }
}

/// From when on `CREATE TABLE … SELECT` does so too. MariaDB drops such a table when it recovers.
fn fills_atomically(server: Server) -> bool {
    server.flavour == Flavour::Mariadb || server.version >= 80_021
}

/// Compares what was known before a definition with what is known now.
pub(super) fn of(
    server: Server,
    database: &str,
    definition: &Definition,
    before: &Facts,
    now: &Facts,
) -> Verdict {
    let has = |caveat| definition.caveats.contains(&caveat);
    if !is_atomic(server) {
        return Verdict::Unclear("this server does not carry out definitions entirely or not at all");
    }
    if before.keys().ne(now.keys()) {
        return Verdict::Unclear("what it changes is not what was looked at before it");
    }
    let teller = if before.get(SERVER) == now.get(SERVER) { Teller::Same } else { Teller::Another };
    let [before, now] = &[before, now].map(of_objects);
    if definition.verb == Verb::Empty {
        return emptied(before, now, teller);
    }
    if before == now {
        return unchanged(definition, before);
    }
    if may_be_in_other_words(before, now, teller) {
        return Verdict::Unclear(
            "what it changes is shown in other words, by another version of the server or to another user",
        );
    }
    if has(Caveat::Rows) && !fills_atomically(server) {
        return Verdict::Unclear("the table is there, and nothing tells whether it has all its rows");
    }
    match (&definition.objects, definition.verb) {
        (Objects::Named(objects), Verb::Drop) => match now.get(NONE_IS_THERE).map(String::as_str) {
            None => dropped(database, objects, before, now),
            Some("true") => Verdict::Done,
            Some(_) => Verdict::Unclear("some of its objects are gone and others are not"),
        },
        // Replaced and not there: the old one had been dropped.
        (Objects::Named(_), Verb::Create) if now.values().all(|fact| fact == ABSENT) => Verdict::NotYet,
        // Several tables are renamed entirely or not at all: MariaDB takes back those that it came to.
        _ => Verdict::Done,
    }
}

/// The facts of the objects alone.
fn of_objects(facts: &Facts) -> Facts {
    facts
        .iter()
        .filter(|(name, _)| *name != SERVER)
        .map(|(name, fact)| (name.clone(), fact.clone()))
        .collect()
}

/// Whose words two facts are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Teller {
    Same,
    /// Another version of the server, or another user.
    Another,
}

/// Whether facts may differ although nothing has changed. That an object is there, or is not, is the same in all words.
fn may_be_in_other_words(before: &Facts, now: &Facts, teller: Teller) -> bool {
    before.iter().any(|(name, before)| {
        let two = [before, &now[name]];
        let differ = two[0] != two[1] && !two.iter().any(|fact| *fact == ABSENT);
        differ && (teller == Teller::Another || two.iter().any(|fact| *fact == HIDDEN))
    })
}

/// A table whose rows were to be deleted. One without rows may be emptied again; a new file with rows in it may be that of
/// another statement.
fn emptied(before: &Facts, now: &Facts, teller: Teller) -> Verdict {
    let file = |fact: &String| fact.split_once(' ').map(|(file, _)| file.to_owned());
    let files = || before.iter().map(|(name, before)| file(before).zip(file(&now[name])));
    let files_all =
        |are: fn((String, String)) -> bool| teller == Teller::Same && files().all(|two| two.is_some_and(are));
    if now.values().all(|fact| fact.ends_with(EMPTY)) {
        return if files_all(|(before, now)| before != now) { Verdict::Done } else { Verdict::NotYet };
    }
    if files_all(|(before, now)| before == now) {
        return Verdict::NotYet;
    }
    Verdict::Unclear("its table has rows, and nothing tells whether they came before it or behind it")
}

/// A definition behind which the catalog says what it said before.
fn unchanged(definition: &Definition, before: &Facts) -> Verdict {
    let has = |caveat| definition.caveats.contains(&caveat);
    let existed = before.values().any(|fact| fact != ABSENT);
    if has(Caveat::Swaps) && !makes_a_new_name(&definition.objects, before) {
        return Verdict::Unclear("its objects would look the same if they had changed places");
    }
    if has(Caveat::Replaces) && existed {
        return Verdict::Unclear("the new one would look like the old one, and may have been used by now");
    }
    if has(Caveat::Remade) {
        return Verdict::Unclear("what it makes anew would look as before, and may have been used by now");
    }
    if has(Caveat::Passes) && !existed {
        return Verdict::Unclear("the event may have come and gone");
    }
    Verdict::NotYet
}

/// Whether a renaming leaves an object under a name that nothing had: it would be there, so that nothing has happened.
fn makes_a_new_name(objects: &Objects, before: &Facts) -> bool {
    let Objects::Named(objects) = objects else { return false };
    let pairs = || objects.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
    // Servers differ in whether names in another case are the same.
    let is_renamed = |name: &Object| pairs().any(|(old, _)| old.name.eq_ignore_ascii_case(&name.name));
    pairs().any(|(_, new)| before.get(&key(new)).is_some_and(|fact| fact == ABSENT) && !is_renamed(new))
}

/// What was to be dropped and is still there as it was.
fn dropped(database: &str, objects: &[Object], before: &Facts, now: &Facts) -> Verdict {
    let is_left = |object: &&Object| now[&key(object)] != ABSENT;
    let left: Vec<_> = objects.iter().filter(is_left).collect();
    let as_before = |object: &&Object| now[&key(object)] == before[&key(object)];
    if !left.iter().all(as_before) {
        return Verdict::Unclear("an object that it drops is another one now");
    }
    match left.as_slice() {
        [] => Verdict::Done,
        left => left
            .iter()
            .map(|object| drop_of(database, object))
            .collect::<Option<_>>()
            .map_or(Verdict::Unclear("some of its objects are gone and others are not"), Verdict::Rest),
    }
}

fn drop_of(database: &str, object: &Object) -> Option<String> {
    let kind = match object.kind {
        ObjectKind::Table => "TABLE",
        ObjectKind::View => "VIEW",
        ObjectKind::Sequence => "SEQUENCE",
        _ => return None,
    };
    let database = sql::name(object.database.as_deref().unwrap_or(database));
    Some(format!("DROP {kind} {database}.{}", sql::name(&object.name)))
}

#[cfg(test)]
mod tests {
    use super::super::fingerprint::ROWS;
    use super::*;

    const MYSQL: &str = "8.0.36";
    const MARIADB: &str = "10.11.19-MariaDB";

    fn object(name: &str) -> Object {
        Object { kind: ObjectKind::Table, database: None, name: name.to_owned() }
    }

    fn verdict(version: &str, verb: Verb, caveats: &[Caveat], facts: &[(&str, &str, &str)]) -> Verdict {
        let objects = Objects::Named(facts.iter().map(|(name, ..)| object(name)).collect());
        let definition = Definition { verb, objects, caveats: caveats.to_vec() };
        let before =
            facts.iter().map(|(name, before, _)| (key(&object(name)), (*before).to_owned())).collect();
        let now = facts.iter().map(|(name, _, now)| (key(&object(name)), (*now).to_owned())).collect();
        of(Server::parse(version, ""), "app", &definition, &before, &now)
    }

    fn is_unclear(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Unclear(_))
    }

    #[test]
    fn a_change_since_then_is_what_the_statement_did() {
        for version in [MYSQL, MARIADB] {
            for (verb, before, now) in
                [(Verb::Create, "absent", "a"), (Verb::Alter, "a", "b"), (Verb::Drop, "a", "absent")]
            {
                assert_eq!(verdict(version, verb, &[], &[("t", before, now)]), Verdict::Done, "{verb:?}");
                assert_eq!(
                    verdict(version, verb, &[], &[("t", before, before)]),
                    Verdict::NotYet,
                    "{verb:?}"
                );
            }
        }
    }

    #[test]
    fn an_old_server_leaves_it_to_a_person() {
        for version in ["5.7.44-log", "10.5.9-MariaDB"] {
            assert!(is_unclear(&verdict(version, Verb::Alter, &[], &[("t", "a", "b")])), "{version}");
        }
        let filled = [Caveat::Rows];
        assert!(is_unclear(&verdict("8.0.20", Verb::Create, &filled, &[("t", "absent", "a")])));
        assert_eq!(verdict("8.0.21", Verb::Create, &filled, &[("t", "absent", "a")]), Verdict::Done);
    }

    #[test]
    fn other_words_for_what_is_there_prove_nothing_and_that_it_came_or_went_does() {
        let upgraded = |verb, facts: &[(&str, &str, &str)]| {
            let definition = Definition {
                verb,
                objects: Objects::Named(facts.iter().map(|(name, ..)| object(name)).collect()),
                caveats: Vec::new(),
            };
            let [mut before, mut now] = [("8.0.15", false), ("8.0.31", true)].map(|(version, now)| {
                let fact = |(name, was, is): &(&str, &str, &str)| {
                    (key(&object(name)), (if now { *is } else { *was }).to_owned())
                };
                let mut facts: Facts = facts.iter().map(fact).collect();
                facts.insert(SERVER.to_owned(), version.to_owned());
                facts
            });
            let verdict = of(Server::parse(MYSQL, ""), "app", &definition, &before, &now);
            for facts in [&mut before, &mut now] {
                facts.insert(SERVER.to_owned(), "8.0.31".to_owned());
            }
            (verdict, of(Server::parse(MYSQL, ""), "app", &definition, &before, &now))
        };
        let (other, same) = upgraded(Verb::Alter, &[("t", "a", "b")]);
        assert!(is_unclear(&other) && same == Verdict::Done);
        let (other, same) = upgraded(Verb::Alter, &[("t", "hidden", "b")]);
        assert!(is_unclear(&other) && is_unclear(&same));
        for (verb, facts, verdict) in [
            (Verb::Alter, [("t", "a", "a")].as_slice(), Verdict::NotYet),
            (Verb::Create, &[("t", ABSENT, "b")], Verdict::Done),
            (Verb::Drop, &[("t", "a", ABSENT)], Verdict::Done),
            (Verb::Rename, &[("t", "a", ABSENT), ("u", ABSENT, "b")], Verdict::Done),
        ] {
            assert_eq!(upgraded(verb, facts), (verdict.clone(), verdict), "{verb:?}");
        }
    }

    #[test]
    fn of_several_tables_only_those_that_are_left_are_dropped() {
        let facts = [("a", "1", "absent"), ("b", "2", "2"), ("c", "absent", "absent")];
        let rest = Verdict::Rest(vec!["DROP TABLE `app`.`b`".to_owned()]);
        assert_eq!(verdict(MARIADB, Verb::Drop, &[Caveat::Several], &facts), rest);
        assert!(is_unclear(&verdict(
            MARIADB,
            Verb::Drop,
            &[Caveat::Several],
            &[("a", "1", "absent"), ("b", "2", "3")]
        )));
    }

    #[test]
    fn tables_that_change_places_are_seen_by_the_names_that_come_and_go() {
        let swapped = [("t", "1", "1"), ("t_new", "1", "absent"), ("t_old", "absent", "1")];
        assert_eq!(
            verdict(MARIADB, Verb::Rename, &[Caveat::Several, Caveat::Swaps], &swapped),
            Verdict::Done
        );
    }

    #[test]
    fn a_name_that_would_be_there_tells_that_nothing_has_changed_places() {
        let unchanged = |facts: &[(&str, &str, &str)]| verdict(MYSQL, Verb::Rename, &[Caveat::Swaps], facts);
        let set_aside =
            [("t", "1", "1"), ("t_old", "absent", "absent"), ("t_new", "1", "1"), ("t", "1", "1")];
        assert_eq!(unchanged(&set_aside), Verdict::NotYet);
        let in_turn = |passing: &'static str| {
            [("a", "1", "1"), ("x", "absent", "absent"), ("b", "1", "1"), ("a", "1", "1")]
                .into_iter()
                .chain([(passing, "absent", "absent"), ("b", "1", "1")])
                .collect::<Vec<_>>()
        };
        assert!(is_unclear(&unchanged(&in_turn("x"))) && is_unclear(&unchanged(&in_turn("X"))));
    }

    #[test]
    fn a_table_was_emptied_if_it_has_another_file_and_no_rows() {
        let emptied = |before, now| verdict(MYSQL, Verb::Empty, &[], &[("t", before, now)]);
        assert_eq!(emptied("1060/3 rows", "1067/10 empty"), Verdict::Done);
        assert_eq!(emptied("1060/3 rows", "1060/3 rows"), Verdict::NotYet);
        for (before, now) in [(ROWS, EMPTY), (ROWS, "1067/10 empty"), ("1060/3 empty", "1060/3 empty")] {
            assert_eq!(emptied(before, now), Verdict::NotYet, "{before} {now}");
        }
        for (before, now) in
            [(ROWS, ROWS), (EMPTY, ROWS), ("1/3 rows", ROWS), (ROWS, "1/3 rows"), ("1/3 rows", "2/4 rows")]
        {
            assert!(is_unclear(&emptied(before, now)), "{before} {now}");
        }
    }

    #[test]
    fn the_files_of_another_server_tell_nothing() {
        let [before, same, other] =
            [("a", "1/3 rows"), ("b", "1/3 rows"), ("b", "2/4 empty")].map(|(server, fact)| {
                Facts::from(
                    [(SERVER, server), ("table t", fact)]
                        .map(|(name, fact)| (name.to_owned(), fact.to_owned())),
                )
            });
        let definition =
            Definition { verb: Verb::Empty, objects: Objects::Named(vec![object("t")]), caveats: Vec::new() };
        let verdict = |now| of(Server::parse(MYSQL, ""), "app", &definition, &before, now);
        assert!(is_unclear(&verdict(&same)));
        assert_eq!(verdict(&other), Verdict::NotYet);
        assert_eq!(verdict(&before), Verdict::NotYet);
    }

    #[test]
    fn a_table_that_was_being_replaced_is_made_unless_it_may_be_the_new_one() {
        let replaced = [Caveat::Replaces];
        assert_eq!(verdict(MARIADB, Verb::Create, &replaced, &[("t", "a", "absent")]), Verdict::NotYet);
        assert_eq!(verdict(MARIADB, Verb::Create, &replaced, &[("t", "a", "b")]), Verdict::Done);
        assert!(is_unclear(&verdict(MARIADB, Verb::Create, &replaced, &[("t", "a", "a")])));
    }
}
