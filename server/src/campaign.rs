//! The campaign that brought a visit, from the address of its first page. Pure.
//!
//! Sites put `utm_…` parameters into the addresses of their advertisements. The networks add an id of the click, which
//! identifies a person: only the name of that parameter is kept, which identifies the advertising network.

use std::borrow::Cow;

use url::Url;
use visitflow_protocol::campaign::CLICK_IDS;

/// Longest value kept, in characters; the rest is cut off.
const VALUE_CHARS: usize = 128;

/// The campaign of a visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Campaign {
    /// `utm_source`, such as `newsletter`.
    pub source: Option<String>,
    /// `utm_medium`, such as `email`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// `utm_term`.
    pub term: Option<String>,
    /// `utm_content`.
    pub content: Option<String>,
    /// The name of the first click id, such as `gclid`; never its value.
    pub click_id: Option<&'static str>,
}

impl Campaign {
    /// The campaign in a visit's first address; of a parameter that comes twice, the first counts.
    #[must_use]
    pub fn of_entry(url: &str) -> Self {
        let mut campaign = Self::default();
        // Nearly every address has no parameters.
        let Some(url) = url.contains('?').then(|| Url::parse(url).ok()).flatten() else { return campaign };
        for (name, value) in url.query_pairs() {
            let name = name.to_lowercase();
            let field = match &*name {
                "utm_source" => &mut campaign.source,
                "utm_medium" => &mut campaign.medium,
                "utm_campaign" => &mut campaign.campaign,
                "utm_term" => &mut campaign.term,
                "utm_content" => &mut campaign.content,
                _ => {
                    campaign.click_id = campaign.click_id.or_else(|| click_id(&name));
                    continue;
                }
            };
            if field.is_none() {
                // Postgres refuses NUL.
                let text: String =
                    value.trim().chars().filter(|character| *character != '\0').take(VALUE_CHARS).collect();
                *field = Some(text).filter(|text| !text.is_empty());
            }
        }
        campaign
    }
}

/// An address or a referrer without click ids, before and after the `#`; the rest stays as it is.
#[must_use]
pub fn without_click_ids(url: &str) -> Cow<'_, str> {
    if !parts(url).any(|(_, query)| query.split('&').any(singles_out)) {
        return Cow::Borrowed(url);
    }
    let mut kept = String::with_capacity(url.len());
    for (index, (path, query)) in parts(url).enumerate() {
        if index > 0 {
            kept.push('#');
        }
        kept.push_str(path);
        let mut mark = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !singles_out(pair)) {
            kept.push(mark);
            kept.push_str(pair);
            mark = '&';
        }
    }
    Cow::Owned(kept)
}

/// The parts before and after each `?`, of the address and of its fragment, which may be a route with parameters.
fn parts(url: &str) -> impl Iterator<Item = (&str, &str)> {
    url.splitn(2, '#').map(|part| part.split_once('?').unwrap_or((part, "")))
}

/// Whether a parameter (`name=value`) belongs to the campaign: `utm_…` or a click id.
#[must_use]
pub fn names_campaign(pair: &str) -> bool {
    let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.to_lowercase());
    name.is_some_and(|name| name.starts_with("utm_") || click_id(&name).is_some())
}

fn singles_out(pair: &str) -> bool {
    let name = url::form_urlencoded::parse(pair.as_bytes()).next();
    name.is_some_and(|(name, _)| click_id(&name.to_lowercase()).is_some())
}

fn click_id(name: &str) -> Option<&'static str> {
    CLICK_IDS.into_iter().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_what_the_entry_address_says() {
        let url = "https://shop.example/a?utm_source=news%20letter&UTM_Medium=email&utm_campaign=gr%C3%BCn\
                   &utm_term=a+b&utm_content=%00top&x=1&fbclid=SECRET&gclid=SECRET&utm_source=second#utm_source=c";
        let campaign = Campaign::of_entry(url);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            campaign,
            Campaign {
                source: text("news letter"),
                medium: text("email"),
                campaign: text("grün"),
                term: text("a b"),
                content: text("top"),
                click_id: Some("fbclid"),
            }
        );
        assert!(!format!("{campaign:?}").contains("SECRET"));
    }

    #[test]
    fn an_address_without_a_campaign_has_none() {
        for url in [
            "https://a/",
            "https://a/?",
            "https://a/?utm_source=&utm_medium=%00",
            "nonsense?utm_source=a",
            "",
        ] {
            assert_eq!(Campaign::of_entry(url), Campaign::default(), "{url}");
        }
        let long = format!("https://a/?utm_source={}", "%C3%A4".repeat(500));
        assert_eq!(Campaign::of_entry(&long).source, Some("ä".repeat(VALUE_CHARS)));
    }

    #[test]
    fn click_ids_are_cut_out_of_an_address_and_nothing_else_is() {
        for (sent, kept) in [
            ("https://a/b?gclid=1", "https://a/b"),
            ("https://a/b?GCLID=1#c", "https://a/b#c"),
            ("https://a/?x=%20+y&fbclid=1&z#q", "https://a/?x=%20+y&z#q"),
            ("https://a/?g%63lid=1&x", "https://a/?x"),
            ("https://a/?gclid", "https://a/"),
            ("https://a/#/route?x=1&msclkid=2", "https://a/#/route?x=1"),
            ("/relative?ttclid=1&x=2?gclid=3", "/relative?x=2?gclid=3"),
        ] {
            assert_eq!(without_click_ids(sent), kept);
        }
        for same in ["https://a/?gclidx=1&&x#?", "https://a/gclid=1", "", "?", "#", "android-app://x"] {
            assert!(matches!(without_click_ids(same), Cow::Borrowed(kept) if kept == same), "{same}");
        }
    }
}
