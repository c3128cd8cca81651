use super::*;
use crate::contract::activity::Slides;
use crate::session::record::SignedIn;
use crate::session::token::SessionToken;

#[test]
fn a_session_that_began_here_stays_in_sync_when_redis_tells_of_its_beginning_alone() {
    let local = Local::new(Ttl::default());
    let ann = SessionToken::issue().unwrap().proof();
    let in_sync = || local.touch(ann, None, 1, Reliance::For(1_000)).is_some();
    let begin = || local.begin(Record::open(ann, None, None, 1), 1);
    begin();
    local.changed(ann.tag);
    assert!(in_sync());
    local.changed(ann.tag);
    assert!(!in_sync(), "another server has changed it");
    begin();
    local.expect_no_own_notice(ann.tag);
    local.changed(ann.tag);
    assert!(!in_sync());
    begin();
    local.lost_touch();
    begin();
    local.lost_touch();
    local.fetched(local.fetch(ann.tag), Some(Record::open(ann, None, None, 1)), 1);
    local.changed(ann.tag);
    assert!(!in_sync(), "what an older connection was to tell never comes");
}

#[tokio::test]
async fn a_copy_that_is_not_fresh_is_due_once_however_often_it_answers() {
    let local = Local::new(Ttl::default());
    let ann = SessionToken::issue().unwrap().proof();
    local.install(Record::open(ann, None, None, 1), 1);
    let ask = |now| local.touch(ann, Some(Activity::Backend(now)), now, Reliance::For(60_000)).is_some();
    let stale = 1 + fresh_ms(ann.tag);
    assert!(ask(stale - 1));
    assert_eq!(local.take_due(), []);
    assert!(ask(stale) && ask(stale + 1));
    local.dues().notified().await;
    assert_eq!(local.take_due(), [(ann, stale + 1)]);
    let fetch = local.fetch(ann.tag);
    assert!(ask(stale + 2));
    assert_eq!(local.take_due(), [], "it is being looked up");
    drop(fetch);
    assert!(ask(stale + 2));
    assert_eq!(local.take_due(), [(ann, stale + 2)], "nobody waited for the answer");
    local.fetched(local.fetch(ann.tag), local.get(ann.tag), stale + 2);
    assert!(ask(stale + 3));
    assert_eq!(local.take_due(), []);
    assert!(!ask(stale + 2 + 60_000), "the answer waits for a look-up");
    local.changed(ann.tag);
    assert!(!ask(stale + 3));
}

#[test]
fn what_has_slid_is_taken_once_in_pieces_and_what_slides_meanwhile_waits_for_the_next_time() {
    let local = Local::new(Ttl::default());
    let slide = |visit_id| {
        let token = SessionToken::issue().unwrap().proof();
        local.install(Record::open(token, Some(visit_id), None, 1), 1);
        local.touch(token, Some(Activity::Visitor(5)), 5, Reliance::Always).unwrap();
        token
    };
    let (twice, at_5) = (Uuid::from_u128(7), Span { first: 5, last: 5 });
    let tokens = [slide(twice), slide(twice), slide(Uuid::from_u128(8)), slide(Uuid::from_u128(9))];
    let mut slid = local.slid();
    let late = slide(Uuid::from_u128(10));
    let (mut sessions, mut visits) = (Vec::new(), Vec::new());
    while !slid.is_empty() {
        let piece = local.take_slides(&mut slid, 3);
        assert!(piece.sessions.len() <= 3 && piece.visits.len() <= 6, "{piece:?}");
        let ids: HashSet<_> = piece.visits.iter().map(|(visit_id, _)| visit_id).collect();
        assert_eq!(ids.len(), piece.visits.len(), "a visit is once in a piece");
        sessions.extend(piece.sessions);
        visits.extend(piece.visits);
    }
    sessions.sort_unstable();
    let mut expected: Vec<_> = tokens.iter().map(|token| (token.tag, 5)).collect();
    expected.sort_unstable();
    assert_eq!(sessions, expected);
    assert!((7..10).all(|id| visits.contains(&(Uuid::from_u128(id), at_5))), "{visits:?}");
    let next = local.take_slides(&mut local.slid(), 3);
    assert_eq!(next, Slides { sessions: vec![(late.tag, 5)], visits: vec![(Uuid::from_u128(10), at_5)] });
    local.return_slides(&next);
    assert_eq!(local.take_slides(&mut local.slid(), 3), next);
}

#[test]
fn activity_before_a_pause_hides_none_after_it() {
    let ttl = Ttl::default();
    let local = Local::new(ttl);
    let token = SessionToken::issue().unwrap().proof();
    let slide = |at| local.touch(token, Some(Activity::Visitor(at)), at, Reliance::Always).unwrap();
    let remembered = SignedIn { remember: true, ..SignedIn::from("ann") };
    let mut record = Record::open(token, None, Some(remembered), 1);
    local.install(record.clone(), 1);
    slide(5);
    // The visit of that activity is over when the session gets another one.
    let (visit, later) = (Uuid::from_u128(7), 5 + ttl.idle_ms);
    record.set_visit(Some(visit));
    local.install(record, later);
    slide(later);
    let taken = local.take_slides(&mut local.slid(), 3);
    assert_eq!(taken.visits, [(visit, Span { first: later, last: later })]);
}
