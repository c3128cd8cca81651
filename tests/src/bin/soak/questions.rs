//! Asks the three session endpoints during an outage.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use visitflow_testkit::{Server, Visitor};

use crate::verdict::Verdict;

/// Signed-in browsers whose sessions are asked about; none of them has a visit.
const BROWSERS: usize = 4;

/// Each session is asked about on all three endpoints every so often.
const PERIOD: Duration = Duration::from_millis(10);

/// What an answer says of a session that is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Live,
    /// Not signed in, which is wrong.
    Dead,
    /// 503.
    Unknown,
    /// Anything else, or nothing.
    Failed,
}

/// Those who ask.
#[derive(Debug)]
pub(crate) struct Questions {
    stop: watch::Sender<bool>,
    asking: Vec<JoinHandle<Vec<(Instant, Said)>>>,
}

/// All answers.
#[derive(Debug)]
pub(crate) struct Answers(Vec<(Instant, Said)>);

impl Questions {
    /// Signs users in, and begins to ask.
    pub(crate) async fn start(server: &Server) -> Self {
        let (stop, stopped) = watch::channel(false);
        let key = server.run(&["key", "add", "questions", "--scope", "session"], "").await.trim().to_owned();
        let mut asking = Vec::new();
        for _ in 0..BROWSERS {
            let browser = server.visitor();
            browser.log_in_to_dashboard("alice").await.expect(200);
            asking.push(tokio::spawn(ask(browser, key.clone(), stopped.clone())));
        }
        Self { stop, asking }
    }

    /// Stops asking.
    pub(crate) async fn end(self) -> Answers {
        let _ = self.stop.send(true);
        let mut all = Vec::new();
        for one in self.asking {
            all.extend(one.await.expect("the answers"));
        }
        Answers(all)
    }
}

impl Answers {
    /// An outage signs nobody out. 503 is right only between these two moments, if they are given.
    pub(crate) fn judge(&self, unknown: Option<(Instant, Instant)>, verdict: &mut Verdict) {
        let count = |said: Said| self.0.iter().filter(|(_, other)| *other == said).count();
        verdict.note(format!(
            "{} requests asked whose a session is; answers: {} live, {} unknown (503), {} dead, {} failed",
            self.0.len(),
            count(Said::Live),
            count(Said::Unknown),
            count(Said::Dead),
            count(Said::Failed)
        ));
        verdict.expect(count(Said::Live) > 0, || "no session was reported as live".into());
        for said in [Said::Dead, Said::Failed] {
            verdict.expect(count(said) == 0, || {
                format!("{} live sessions were reported as {said:?}", count(said))
            });
        }
        let may_be_unknown = |at: &Instant| unknown.is_some_and(|(since, until)| (since..until).contains(at));
        let early = self.0.iter().filter(|(at, said)| *said == Said::Unknown && !may_be_unknown(at)).count();
        verdict.expect(early == 0, || {
            format!("{early} times the answer was 503 although a store was available")
        });
    }
}

/// Whether an introspection, or the answer to the page, tells of a signed-in session.
fn names_a_user(said: &Value) -> bool {
    said["sub"].is_string() || said["user_id"].is_string()
}

async fn ask(browser: Visitor, key: String, stopped: watch::Receiver<bool>) -> Vec<(Instant, Said)> {
    let mut answers = Vec::new();
    let mut ticks = tokio::time::interval(PERIOD);
    let token = json!({"token": browser.token()});
    while !*stopped.borrow() {
        ticks.tick().await;
        let introspect = browser.post("/api/session/introspect", &token).as_json().bearer(&key).cookie("");
        let introspect = introspect.without("origin").without("sec-fetch-site");
        let verify = browser.get("/api/session/verify?require=user");
        for request in [introspect, verify, browser.get("/api/session")] {
            let said = match request.try_send().await {
                Ok(answer) if answer.status == 503 => Said::Unknown,
                Ok(answer) if answer.status == 204 => Said::Live,
                Ok(answer) if answer.status == 200 && names_a_user(&answer.json()) => Said::Live,
                Ok(answer) if matches!(answer.status, 200 | 401) => Said::Dead,
                Ok(_) | Err(_) => Said::Failed,
            };
            answers.push((Instant::now(), said));
        }
    }
    answers
}
