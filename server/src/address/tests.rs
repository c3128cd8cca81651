use proptest::prelude::*;

use super::KeepQuery::{All, Safe};
use super::*;

fn url(sent: &str) -> String {
    page(sent, Safe).map(|page| page.url).unwrap_or_default()
}

#[test]
fn an_address_has_one_form() {
    for (sent, kept) in [
        ("https://shop.example", "https://shop.example/"),
        ("HTTPS://Shop.EXAMPLE:443/A", "https://shop.example/A"),
        ("http://shop.example:80/", "http://shop.example/"),
        ("http://shop.example:443/", "http://shop.example:443/"),
        ("https://shop.example./a", "https://shop.example/a"),
        ("https://B\u{fc}cher.example/\u{e4}", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://shop.example/caf%c3%a9", "https://shop.example/caf%C3%A9"),
        ("https://shop.example/%7Eann", "https://shop.example/~ann"),
        ("https://shop.example/a/./b/../c", "https://shop.example/a/c"),
        ("https://shop.example/a/%2e%2E/c", "https://shop.example/c"),
        ("https://shop.example/a|b", "https://shop.example/a%7Cb"),
        ("https://shop.example/a%2Fb", "https://shop.example/a%2Fb"),
        ("https://shop.example/?", "https://shop.example/"),
        ("https://shop.example/?q=%e4%7e#", "https://shop.example/?q=%E4~"),
        (" https://shop.example/a\\b\n", "https://shop.example/a/b"),
        ("https://[::0001]:8443/", "https://[::1]:8443/"),
        ("https://0x7f.1/", "https://127.0.0.1/"),
    ] {
        assert_eq!(url(sent), kept, "{sent}");
    }
    for bad in ["", "/a", "javascript:alert(1)", "https://", "file:///etc/passwd", "android-app://a.b/"] {
        assert_eq!(page(bad, Safe), None, "{bad}");
    }
}

#[test]
fn the_path_of_a_page_holds_its_route() {
    for (sent, path) in [
        ("https://a.example/app/#/inbox", "/app/#/inbox"),
        ("https://a.example/app/#/inbox?tab=2", "/app/#/inbox"),
        ("https://a.example/app/?x=1#!/inbox", "/app/#!/inbox"),
        ("https://a.example/#!inbox", "/#!inbox"),
        ("https://a.example/#/%7eann/caf%c3%a9", "/#/~ann/caf%C3%A9"),
        ("https://a.example/#/guide#install", "/#/guide"),
        ("https://a.example/#/guide?tab=2#install?a=1", "/#/guide"),
        ("https://a.example/#!/guide#/install", "/#!/guide"),
        ("https://a.example/a#section", "/a"),
        ("https://a.example/a#", "/a"),
    ] {
        assert_eq!(page(sent, Safe).unwrap().path, path, "{sent}");
    }
}

#[test]
fn what_names_a_person_or_opens_a_door_is_left_out() {
    for (sent, kept) in [
        ("https://ada:secret@a.example/", "https://a.example/"),
        ("https://ada@a.example/", "https://a.example/"),
        ("https://a.example/#access_token=SECRET&state=1", "https://a.example/"),
        ("https://a.example/?token=SECRET", "https://a.example/"),
        ("https://a.example/?a=1&Reset_Token=SECRET&b=2", "https://a.example/?a=1&b=2"),
        ("https://a.example/?code=SECRET&state=SECRET&a", "https://a.example/?a"),
        ("https://a.example/?state=bavaria", "https://a.example/?state=bavaria"),
        ("https://a.example/?a=1;sid=SECRET;b=2", "https://a.example/?a=1;b=2"),
        ("https://a.example/?to%6ben=SECRET", "https://a.example/"),
        ("https://a.example/?next=%2Freset%3Ftoken%3DSECRET&a=1", "https://a.example/?a=1"),
        ("https://a.example/?next=%252Freset%253Ftoken%253DSECRET", "https://a.example/"),
        ("https://a.example/?next=/reset?key=SECRET", "https://a.example/"),
        ("https://a.example/a;jsessionid=SECRET?x", "https://a.example/a?x"),
        ("https://a.example/a;v=1;JSESSIONID=SECRET/b", "https://a.example/a;v=1/b"),
        ("https://a.example/#/access_token=SECRET&token_type=b&x=1", "https://a.example/#/access_token=&x=1"),
        ("https://a.example/#/code=SECRET&state=SECRET&x=1", "https://a.example/#/code=&x=1"),
        (
            "https://a.example/go/https%3A%2F%2Fx%2F%3Ftoken%3DSECRET",
            "https://a.example/go/https%3A%2F%2Fx%2F%3Ftoken%3D",
        ),
        ("https://a.example/?u=https%25253A%25252F%25253Ftoken%25253DSECRET&a", "https://a.example/?a"),
        (
            "https://a.example/?to%E2%80%8Bken=SECRET&%2574oken=SECRET&authkey=SECRET&a",
            "https://a.example/?a",
        ),
        ("https://a.example/#/in?token=SECRET&tab=2", "https://a.example/#/in?tab=2"),
        ("https://a.example/u/ada@example.org", "https://a.example/u/(email)"),
        ("https://a.example/?q=ada%40example.org&a", "https://a.example/?q=(email)&a"),
        ("https://a.example/#/u/ada%40example.org", "https://a.example/#/u/(email)"),
        (
            "https://a.example/?utm_source=n&utm_content=ada@example.org",
            "https://a.example/?utm_source=n&utm_content=(email)",
        ),
        ("https://a.example/?gclid=1&utm_campaign=key", "https://a.example/?gclid=1&utm_campaign=key"),
    ] {
        assert_eq!(url(sent), kept, "{sent}");
    }
}

#[test]
fn a_query_is_kept_whole_for_those_who_must() {
    for (sent, kept) in [
        ("https://a.example/?token=1&q=ada@example.org", "https://a.example/?token=1&q=ada@example.org"),
        ("https://a.example/#/in?token=1", "https://a.example/#/in?token=1"),
        ("https://ada:secret@a.example/?%7E=1#id_token=1", "https://a.example/?~=1"),
        ("https://a.example/ada@example.org", "https://a.example/(email)"),
    ] {
        assert_eq!(page(sent, All).unwrap().url, kept, "{sent}");
    }
}

#[test]
fn a_long_address_loses_its_query_first_and_stays_an_address() {
    let long = "x".repeat(3_000);
    for (sent, kept) in [
        (format!("https://a.example/p?q={long}"), "https://a.example/p".to_owned()),
        (
            format!("https://a.example/p?utm_source=n&q={long}&gclid=1#/r?s={long}"),
            "https://a.example/p?utm_source=n&gclid=1#/r".to_owned(),
        ),
        (format!("https://a.example/p?utm_source={long}"), "https://a.example/p".to_owned()),
        (format!("https://a.example/{long}"), format!("https://a.example/{}", &long[..2_048 - 18])),
        (format!("https://a.example/#/{long}"), format!("https://a.example/#/{}", &long[..2_048 - 20])),
        (
            format!("https://a.example/{}", "\u{e4}".repeat(900)),
            format!("https://a.example/{}", "%C3%A4".repeat(338)),
        ),
    ] {
        assert_eq!(url(&sent), kept);
        assert!(kept.len() <= URL_BYTES && page(&kept, Safe).is_some());
    }
}

#[test]
fn a_referrer_is_a_page_or_an_app_or_a_scheme() {
    for (sent, kept, host) in [
        ("https://WWW.Search.example/?q=a#x", "https://www.search.example/?q=a", "search.example"),
        ("https://ada:pw@search.example/?token=1", "https://search.example/", "search.example"),
        (
            "android-app://com.google.android.googlequicksearchbox/https/www.google.com",
            "android-app://com.google.android.googlequicksearchbox",
            "com.google.android.googlequicksearchbox",
        ),
        ("android-app://com.Slack/", "android-app://com.slack", "com.slack"),
        ("ios-app://544007664/vnd.youtube", "ios-app://544007664", "544007664"),
        ("android-app:", "android-app:", "android-app"),
        ("chrome-extension://abcdef/page.html", "chrome-extension:", "chrome-extension"),
        ("ftp://files.example/a", "ftp:", "ftp"),
        ("wss://files.example/a", "wss:", "wss"),
        ("file:///home/ada/a.html", "file:", "file"),
        ("fb://profile/123", "fb:", "fb"),
        ("mailto:ada@example.org", "mailto:", "mailto"),
        ("blob:https://a.example/0193a5e7", "https://a.example/0193a5e7", "a.example"),
        ("www.search.example/find?q=1", "https://www.search.example/find?q=1", "search.example"),
        ("//search.example", "https://search.example/", "search.example"),
        ("search.example:8080/a", "https://search.example:8080/a", "search.example"),
        ("com.google.android.gm", "https://com.google.android.gm/", "com.google.android.gm"),
    ] {
        let referrer = referrer(sent, Safe).unwrap_or_default();
        assert_eq!(referrer, kept, "{sent}");
        assert_eq!(referrer_host(&referrer).as_deref(), Some(host), "{sent}");
    }
    for none in ["", " ", "/a", "hello", "a b.c", "about:client", "about:blank", "\0", "https://", "(direct)"]
    {
        assert_eq!(referrer(none, Safe), None, "{none}");
    }
    let long = format!("https://a.example/{}", "x".repeat(9_000));
    assert_eq!(referrer(&long, Safe).map(|text| text.len()), Some(URL_BYTES));
}

#[test]
fn a_short_text_is_cut_at_a_character_and_names_nobody() {
    assert_eq!(short_text("a\0b", 9), "ab");
    assert_eq!(short_text("\u{e4}\u{e4}", 3), "\u{e4}");
    assert_eq!(short_text("Inbox of ada@example.org", 512), "Inbox of (email)");
}

#[test]
fn the_form_of_a_form_is_itself_where_leaving_out_joins_what_stood_around() {
    for (sent, kept) in [
        ("https://a.example/a/..;token=1/b", "https://a.example/b"),
        ("https://a.example/a/.;token=1", "https://a.example/a/"),
        ("https://a.example/?q=%22ada%22@example.org", "https://a.example/?q=(email)"),
        ("https://a.example/a;token=1;token=2", "https://a.example/a"),
        ("https://a.example/#/..;token=1", "https://a.example/#/.."),
    ] {
        assert_eq!(url(sent), kept, "{sent}");
        assert_eq!(url(kept), kept, "{kept}, again");
    }
}

#[test]
fn a_token_is_left_out_wherever_it_stands() {
    let own = format!("s_{}.{}", "a".repeat(22), "b".repeat(43));
    let key = format!("vf_{}.{}", "a".repeat(16), "b".repeat(43));
    for token in [&own, &key, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"] {
        for (sent, kept) in [
            ("https://a.example/?x=TOKEN&b=1", "https://a.example/?x=(token)&b=1"),
            ("https://a.example/?TOKEN&b=1", "https://a.example/?b=1"),
            ("https://a.example/TOKEN/x", "https://a.example/(token)/x"),
            ("https://a.example/?next=%2Fa%2FTOKEN", "https://a.example/?next=%2Fa%2F(token)"),
            ("https://a.example/?h=Bearer+TOKEN", "https://a.example/?h=Bearer+(token)"),
            ("https://a.example/#/r/TOKEN?x=TOKEN", "https://a.example/#/r/(token)?x=(token)"),
            ("https://a.example/?token=TOKEN", "https://a.example/"),
        ] {
            let sent = sent.replace("TOKEN", token);
            assert_eq!(url(&sent), kept, "{sent}");
            assert_eq!(referrer(&sent, Safe).as_deref(), Some(kept), "{sent}");
            assert_eq!(url(kept), kept, "{kept}, again");
        }
        assert_eq!(short_text(token, 512), "(token)");
        assert_eq!(short_text(&format!("Bearer {token}"), 512), "Bearer (token)");
    }
    assert_eq!(short_text("Authorization: Bearer SEK", 512), "Authorization: Bearer (token)");
}

/// Ways in which a text holds `SECRET`.
const SHAPES: [&str; 27] = [
    "?token=SECRET",
    "&reset_code=SECRET",
    ";sid=SECRET",
    "token=SECRET",
    "password:SECRET",
    "api_key:SECRET",
    "{\"token\":\"SECRET\"}",
    "{\"code\" : \"SECRET words\"}",
    "{\"user\":{\"pin\":[\"SECRET\",\"SECRET\"]}}",
    "{\\\"key\\\":\\\"SECRET\\\"}",
    "{'jwt': 'SECRET'}",
    "{\"\\u0074oken\":\"SECRET\"}",
    "user[password]=SECRET",
    "//ada:SECRET@host/",
    "https://ada:SECRET@host/",
    "SECRET@example.org",
    "\"SECRET\"@example.org",
    "\"SECRET x\"@example.org",
    "SECRET%E2%80%8B@example.org",
    "SECRET\u{ff20}example.org",
    "SECRET@example.org.png",
    "SECRET+x@mail.example.co.uk",
    "s_aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbSECRETbbbbbbbbbbbbbbbbbb",
    "vf_aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbSECRETbbbbbbbbbbbbbbbbbb",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.SECRET",
    "to%E2%80%8Bken=SECRET",
    "a_name_of_more_than_sixty_four_characters_in_front_of_what_is_here_a_token=SECRET",
];

/// Escapes all that is no letter or digit, this often.
fn escaped(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| {
        let escape = |c: char| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' => c.to_string(),
            _ => c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
        };
        text.chars().map(escape).collect()
    })
}

proptest! {
    #[test]
    fn the_form_of_a_form_is_itself(
        rest in "[ -~]{0,60}",
        nasty in "([/.;:=&?#@%+\"{}\\[\\]\\\\,a1]|%2[25EF]|%3[ABDF]|%40|%7B|token|code|ada@b\\.cc|//u:p@|\\.\\./){0,16}",
        odd in "\\PC{0,12}",
    ) {
        for keep in [Safe, All] {
            for rest in [&rest, &nasty] {
                let sent = format!("https://a.example/{rest}{odd}");
                if let Some(page) = page(&sent, keep) {
                    prop_assert_eq!(super::page(&page.url, keep), Some(page));
                }
            }
            for odd in [&odd, &nasty] {
                if let Some(kept) = referrer(odd, keep) {
                    prop_assert_eq!(referrer(&kept, keep), Some(kept));
                }
            }
        }
        for sent in [&rest, &nasty, &odd] {
            let kept = text(sent).into_owned();
            prop_assert_eq!(text(&kept), &*kept);
        }
    }

    #[test]
    fn no_planted_secret_survives(
        shape in prop::sample::select(&SHAPES[..]),
        times in 0..7_usize,
        before in "[a-z0-9 ?&#;/=:.,%+-]{0,8}[ ?&;/=]",
        after in "[ ?&#;/=][a-z0-9 ?&#;/=:.,%@\"{}-]{0,8}",
    ) {
        let planted = escaped(shape, times);
        let sent = format!("{before}{planted}{after}");
        prop_assert!(!text(&sent).contains("SECRET"), "{} of {}", text(&sent), sent);
        // In a path browsers write `\\` as `/`, and it escapes nothing more.
        let places = if planted.contains('\\') { &["?", "?q="][..] } else { &["", "?", "?q=", "#/", "#/r?q="] };
        for place in places {
            let sent = format!("https://a.example/{place}{planted}{after}");
            let kept = url(&sent);
            prop_assert!(!kept.contains("SECRET"), "{} of {}", kept, sent);
        }
    }

    #[test]
    fn no_text_breaks_the_search_for_secrets(sent in "\\PC{0,80}") {
        let _ = short_text(&sent, 40);
    }
}
