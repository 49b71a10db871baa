//! Which orders are due, told by a clock of the tests.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;
use crate::contents::{Certificate, Stored};

const MINUTE: Duration = Duration::from_mins(1);

fn demand(names: &[&str]) -> Demand {
    Demand { resolver: "le".into(), names: names.iter().map(ToString::to_string).collect() }
}

fn wanted(demands: &[&[&str]]) -> Demands {
    Demands { wanted: demands.iter().map(|names| demand(names)).collect(), present: Vec::new() }
}

/// Certificates that live from 2030-01-01 to 2030-03-31: 89 days.
fn kept(lists: &[&[&str]]) -> Contents {
    let certificates = lists.iter().map(|names| {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2030, 3, 31);
        let chain = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        Certificate::new(&names, &chain, "key")
    });
    let stored = Stored { certificates: Some(certificates.collect()), ..Stored::default() };
    Contents::from([("le".to_owned(), stored)])
}

struct Clock {
    now: Instant,
    wall: SystemTime,
}

impl Clock {
    fn at(days: u32) -> Self {
        let wall: SystemTime = date_time_ymd(2030, 1, 1).into();
        Self { now: Instant::now() + Duration::from_hours(24) * days, wall: wall + Duration::from_hours(24) * days }
    }

    fn later(&mut self, by: Duration) {
        self.now += by;
        self.wall += by;
    }
}

fn book(lists: &[&[&str]], clock: &Clock) -> Book {
    let mut book = Book::default();
    book.update([("le", &kept(lists))].into_iter(), clock.now);
    book
}

fn due(book: &mut Book, demands: &Demands, running: &[Demand], clock: &Clock) -> Vec<Vec<String>> {
    let known = |name: &str| (name == "le").then_some(2160);
    let due = book.due(demands, &running.iter(), known, (clock.now, clock.wall));
    due.into_iter().map(|due| due.demand.names).collect()
}

#[test]
fn only_what_is_missing_is_ordered() {
    let clock = Clock::at(1);
    let mut book = book(&[&["*.a.test"], &["b.test"]], &clock);
    let demands = wanted(&[&["x.a.test"], &["b.test", "c.test"], &["c.test", "d.test"]]);
    assert_eq!(due(&mut book, &demands, &[], &clock), [["c.test"], ["d.test"]]);
    assert_eq!(due(&mut book, &demands, &[demand(&["c.test"])], &clock), [["d.test"]]);
    let given = Demands { present: vec!["c.test".into(), "*.test".into()], ..demands };
    assert!(due(&mut book, &given, &[], &clock).is_empty());
}

#[test]
fn a_wildcard_that_is_on_its_way_serves_others_unless_it_fails() {
    let clock = Clock::at(1);
    let mut book = book(&[], &clock);
    let demands = wanted(&[&["x.a.test"], &["*.a.test"]]);
    assert_eq!(due(&mut book, &demands, &[], &clock), [["*.a.test"]]);
    book.failed(&demand(&["*.a.test"]), &Failure::new("no"), clock.now);
    assert_eq!(due(&mut book, &demands, &[], &clock), [["x.a.test"]]);
}

#[test]
fn resolvers_that_cannot_order_are_asked_for_nothing() {
    let clock = Clock::at(1);
    let demands =
        Demands { wanted: vec![Demand { resolver: "other".into(), names: vec!["a.test".into()] }], present: vec![] };
    assert!(due(&mut Book::default(), &demands, &[], &clock).is_empty());
}

#[test]
fn names_to_blame_rest_and_the_rest_goes_on() {
    let mut clock = Clock::at(1);
    let mut book = book(&[], &clock);
    let both = wanted(&[&["good.test", "bad.test"]]);
    let failure = Failure { names: vec!["bad.test".into()], ..Failure::new("no such host") };
    assert_eq!(book.failed(&demand(&["good.test", "bad.test"]), &failure, clock.now), MINUTE);
    assert!(due(&mut book, &both, &[], &clock).is_empty());
    assert_eq!(due(&mut book, &wanted(&[&["good.test"]]), &[], &clock), [["good.test"]], "the rule was mended");
    assert!(
        due(&mut book, &wanted(&[&["bad.test", "third.test"]]), &[], &clock).is_empty(),
        "it is the name that rests"
    );
    assert_eq!(book.troubles().collect::<Vec<_>>(), [("le", "bad.test", "no such host")]);
    clock.later(MINUTE);
    assert_eq!(due(&mut book, &both, &[], &clock).len(), 1);
    assert_eq!(book.failed(&demand(&["good.test", "bad.test"]), &failure, clock.now), MINUTE * 2);
    let limited = Failure { rest: Some(Duration::from_hours(3)), ..failure };
    assert_eq!(book.failed(&demand(&["good.test", "bad.test"]), &limited, clock.now), Duration::from_hours(3));
    book.forget(&wanted(&[&["good.test"]]));
    assert_eq!(book.troubles().count(), 0);
}

#[test]
fn renewals_come_in_time_and_once() {
    let mut clock = Clock::at(58);
    let mut book = book(&[&["a.test"]], &clock);
    let demands = wanted(&[&["a.test"]]);
    assert!(due(&mut book, &demands, &[], &clock).is_empty());
    clock.later(Duration::from_hours(48));
    let orders = book.due(&demands, &[].iter(), |_| Some(2160), (clock.now, clock.wall));
    assert!(orders.len() == 1 && orders[0].replaced.is_some());
    // The new one is due as well: by a clock that is wrong, say.
    book.came(&demand(&["a.test"]), clock.now);
    assert!(due(&mut book, &demands, &[], &clock).is_empty());
}

#[test]
fn what_nobody_uses_is_renewed_for_a_while_only() {
    let mut clock = Clock::at(70);
    let mut book = book(&[&["a.test"]], &clock);
    let nothing = wanted(&[]);
    assert_eq!(due(&mut book, &nothing, &[], &clock).len(), 1);
    clock.later(Duration::from_hours(24 * 8));
    assert!(due(&mut book, &nothing, &[], &clock).is_empty());
    assert_eq!(due(&mut book, &wanted(&[&["a.test"]]), &[], &clock).len(), 1);
}

#[test]
fn an_authority_may_ask_for_an_early_renewal() {
    let mut clock = Clock::at(5);
    let mut book = book(&[&["a.test"]], &clock);
    let demands = wanted(&[&["a.test"]]);
    let asked = book.take_questions(clock.now, 4);
    assert_eq!(asked.len(), 1);
    assert!(book.take_questions(clock.now, 4).is_empty());
    let window = (clock.wall, clock.wall + Duration::from_hours(2));
    book.advised(&asked[0].1, Some(window), Duration::from_hours(6), (0.5, clock.now));
    assert!(due(&mut book, &demands, &[], &clock).is_empty());
    clock.later(Duration::from_hours(1));
    assert_eq!(due(&mut book, &demands, &[], &clock).len(), 1);
    clock.later(Duration::from_hours(5));
    assert_eq!(book.take_questions(clock.now, 4).len(), 1);
}

#[test]
fn what_cannot_be_read_is_due_at_once() {
    let clock = Clock::at(1);
    let stored =
        Stored { certificates: Some(vec![Certificate::new(&["a.test".into()], "x", "y")]), ..Stored::default() };
    let mut book = Book::default();
    book.update([("le", &Contents::from([("le".to_owned(), stored)]))].into_iter(), clock.now);
    assert_eq!(due(&mut book, &wanted(&[&["a.test"]]), &[], &clock), [["a.test"]]);
}
