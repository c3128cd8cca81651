//! Numbers and texts at their edges.

use visitflow_server::ledger::commands::Engage;
use visitflow_server::ledger::kinds::{Event, Kind, PageView};
use visitflow_server::session::uuid_v7;

use crate::facts::{fact, page};
use crate::world::{Browser, Said, World};

const TEXTS: [&str; 9] = [
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\u{202e}אבג‏ العربية\u{202c}",
    "e\u{301} \u{e9}", // the same letter, not to be made the same text
    "Z̸̡̛a̶͘l̷g̵o̸",
    "\u{ffff}\u{fffe}\u{fffd}",
    "\u{10ffff}\u{e000}",
    "\u{7f}\u{1}\t\r\n",
    "'; DROP TABLE sessions; -- \\ \" $1 ?1 %s",
    " ",
];

pub(crate) async fn texts_come_back_as_they_were(world: &World) {
    let ann = Browser::new();
    let facts = TEXTS.iter().enumerate().map(|(index, text)| {
        let at = world.now + i64::try_from(index).unwrap();
        let kind = Kind::Event(Event {
            id: uuid_v7(at),
            name: (*text).to_owned(),
            props: Some(serde_json::json!({ *text: text }).to_string()),
            ..Event::default()
        });
        fact(kind, at)
    });
    world.send_all(&ann, facts.collect(), world.now + 9).await;
    assert_eq!(world.texts("SELECT name FROM events ORDER BY occurred_at").await, TEXTS);
    let props = world.texts("SELECT props FROM events ORDER BY occurred_at").await;
    for (props, text) in props.iter().zip(TEXTS) {
        let props: serde_json::Value = serde_json::from_str(props).unwrap();
        assert_eq!(props[text], text);
    }
}

pub(crate) async fn an_address_of_8_kib_is_stored_whole(world: &World) {
    let ann = Browser::new();
    let address = format!("https://shop.example/?q={}", "é".repeat(4_084));
    assert_eq!(address.len(), 8_192);
    let kind = Kind::PageView(PageView {
        id: uuid_v7(world.now),
        url: address.clone(),
        path: "/".into(),
        referrer: Some(address.clone()),
        ..PageView::default()
    });
    assert_eq!(world.send(&ann, fact(kind, world.now), world.now).await, Said::Fresh);
    assert_eq!(world.texts("SELECT url FROM page_views").await, std::slice::from_ref(&address));
    assert_eq!(world.texts("SELECT entry_url FROM sessions").await, std::slice::from_ref(&address));
    assert_eq!(world.texts("SELECT referrer FROM sessions").await, [address]);
}

pub(crate) async fn engagement_keeps_the_most_up_to_the_greatest_number(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    world.send(&ann, fact(page(id), world.now), world.now).await;
    // A session that was begun while the database was away has its visit now.
    assert_eq!(world.page_views().await, 1);
    const ENGAGED: &str = "SELECT engaged_ms || ' ' || scroll_pct FROM page_views";
    let day = 24 * 3_600_000;
    for about in [(id, 5, 50), (id, day, 7), (id, 0, 100)] {
        assert_eq!(world.ping_about(&ann, Some(about), world.now + 1).await, Said::Kept);
    }
    assert_eq!(world.texts(ENGAGED).await, [format!("{day} 100")]);
    let visit_id = world.texts("SELECT id FROM sessions").await[0].parse().unwrap();
    for engaged_ms in [i64::MAX, i64::MIN] {
        let told = Engage { visit_id, page_view_id: id, engaged_ms, scroll_pct: 0 };
        world.commit(told).await;
    }
    assert_eq!(world.texts(ENGAGED).await, [format!("{} 100", i64::MAX)]);
}

pub(crate) async fn ids_of_wrong_clocks_are_stored_once(world: &World) {
    const CENTURY: i64 = 100 * 366 * 24 * 3_600_000;
    let ann = Browser::new();
    // The time within an id has 48 bits (RFC 9562 §5.7).
    let clocks = [0, 1, world.now - CENTURY / 10, world.now + CENTURY, (1 << 48) - 1];
    let pages = clocks.map(|clock| page(uuid_v7(clock)));
    for _ in 0..2 {
        let facts = pages.iter().map(|page| fact(page.clone(), world.now)).collect();
        world.send_all(&ann, facts, world.now).await;
    }
    assert_eq!(world.page_views().await, 5);
    assert_eq!(world.number("SELECT page_views FROM sessions").await, 5);
}

pub(crate) async fn what_a_page_says_of_itself_is_stored_whole(world: &World) {
    let ann = Browser::new();
    let kind = Kind::PageView(PageView {
        id: uuid_v7(world.now),
        url: "https://shop.example/süß?a=1#x".into(),
        path: "/s%C3%BC%C3%9F".into(),
        referrer: Some("https://search.example/?q=x".into()),
        title: Some("Süß — 甘い".into()),
        device: Some(r#"{"viewport":[1280,720]}"#.into()),
        sequence: Some(7),
    });
    world.send(&ann, fact(kind, world.now), world.now).await;
    let stored = "SELECT url || '|' || path || '|' || referrer || '|' || title || '|' || device || '|' || sequence \
         FROM page_views";
    assert_eq!(
        world.texts(stored).await,
        [concat!(
            "https://shop.example/süß?a=1#x|/s%C3%BC%C3%9F|https://search.example/?q=x|Süß — 甘い|",
            r#"{"viewport":[1280,720]}"#,
            "|7"
        )]
    );
    assert_eq!(world.texts("SELECT referrer_host FROM sessions").await, ["search.example"]);
}

/// The values are kept, but for those of click ids; a later page of the visit changes nothing.
pub(crate) async fn a_visit_keeps_the_campaign_of_its_entry(world: &World) {
    const CAMPAIGN: &str = "SELECT utm_source || '|' || utm_medium || '|' || COALESCE(utm_campaign, '-') || '|' || \
        COALESCE(utm_term, '-') || '|' || COALESCE(utm_content, '-') || '|' || click_id FROM sessions";
    let at = |url: &str| match page(uuid_v7(world.now)) {
        Kind::PageView(view) => Kind::PageView(PageView { url: url.into(), ..view }),
        other => other,
    };
    let ann = Browser::new();
    let pages = [
        "https://shop.example/?utm_source=News&utm_medium=e%20mail&gclid=secret",
        "https://shop.example/?utm_source=other&utm_term=shoes&fbclid=x",
        "https://shop.example/",
    ];
    for url in pages {
        world.send(&ann, fact(at(url), world.now), world.now).await;
    }
    assert_eq!(world.texts(CAMPAIGN).await, ["News|e mail|-|-|-|gclid"]);
}
