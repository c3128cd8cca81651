//! A real browser of any engine, driven through WebDriver.

mod engine;

pub use engine::Engine;

use crate::machine::{PATIENCE, target_directory};
use engine::Driver;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Browsers that run at once, however many tests do: each is some hundred MB, and busy.
static PLACES: Semaphore = Semaphore::const_new(3);

/// A script that notes in `window.touched` whatever leaves a trace; it has to run before the page's.
pub const TOUCHES: &str = include_str!("browser/touches.js");

/// A browser with a fresh profile.
#[derive(Debug)]
pub struct Browser {
    /// The WebDriver session.
    pub driver: WebDriver,
    /// What it is made of.
    pub engine: Engine,
    /// Dropped after the session: ends the driver, and with it the browser.
    process: Driver,
    _profile: TempDir,
    _place: SemaphorePermit<'static>,
}

impl Browser {
    /// A browser like most: Chromium.
    pub async fn open() -> Self {
        Self::of(Engine::Chromium).await
    }

    /// A browser of this engine.
    pub async fn of(engine: Engine) -> Self {
        Self::start(engine, true).await
    }

    /// One that is set to keep no cookies.
    pub async fn without_cookies(engine: Engine) -> Self {
        Self::start(engine, false).await
    }

    async fn start(engine: Engine, cookies: bool) -> Self {
        let place = PLACES.acquire().await.expect("nobody closes it");
        let profile = tempfile::tempdir().expect("a directory for the profile");
        let process = Driver::start(engine, profile.path()).await;
        let capabilities = engine.capabilities(profile.path(), cookies);
        let driver = WebDriver::new(&process.url, capabilities).await;
        let driver = match driver {
            Ok(driver) => driver,
            Err(error) => panic!("{engine:?} does not start (`cargo xtask test install`?): {error}"),
        };
        // A small window hides what a shop shows in a large one.
        if engine == Engine::WebKit {
            driver.set_window_rect(0, 0, 1280, 900).await.expect("a window of this size");
        }
        Self { driver, engine, process, _profile: profile, _place: place }
    }

    /// Loads a page.
    ///
    /// # Panics
    ///
    /// It does not load.
    pub async fn open_page(&self, url: &str) {
        self.driver.goto(url).await.expect("the page loads");
    }

    /// The visible element with this `data-testid`, as soon as there is one.
    ///
    /// # Panics
    ///
    /// There is none in time.
    pub async fn find(&self, test_id: &str) -> WebElement {
        self.find_by(&format!("[data-testid=\"{test_id}\"]")).await
    }

    /// The first visible element that a selector of CSS finds, as soon as there is one.
    ///
    /// # Panics
    ///
    /// There is none in time.
    pub async fn find_by(&self, css: &str) -> WebElement {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pause = Duration::from_millis(20);
            let query = self.driver.query(By::Css(css)).wait(Duration::from_secs(1), pause);
            match query.and_displayed().first().await {
                Ok(element) => return element,
                // Nothing is there yet, or what was there is replaced at this moment.
                Err(_) if Instant::now() < deadline => {}
                Err(error) => panic!("the page shows no {css}: {error}\n{}", self.text().await),
            }
        }
    }

    /// Clicks the element with this `data-testid`.
    ///
    /// # Panics
    ///
    /// It cannot be clicked.
    pub async fn click(&self, test_id: &str) {
        let element = self.find(test_id).await;
        element.scroll_into_view().await.expect("it can be scrolled to");
        if let Err(error) = element.click().await {
            panic!("{test_id} cannot be clicked: {error}");
        }
    }

    /// Types into the element with this `data-testid`.
    ///
    /// # Panics
    ///
    /// It takes no text.
    pub async fn type_into(&self, test_id: &str, text: &str) {
        self.find(test_id).await.send_keys(text).await.expect("it takes text");
    }

    /// The `data-value` of the element with this `data-testid`, as soon as it is `expected`; else
    /// what it is in the end.
    pub async fn value(&self, test_id: &str, expected: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let element = self.find(test_id).await;
            let value = element.attr("data-value").await.ok().flatten().unwrap_or_default();
            if value == expected || Instant::now() > deadline {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What an expression of JavaScript gives, as JSON.
    ///
    /// # Panics
    ///
    /// The script throws.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        let result = self.driver.execute(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// What a promise resolves with, as JSON.
    ///
    /// # Panics
    ///
    /// The script throws, or the promise is rejected.
    pub async fn resolve(&self, promise: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => ({promise}))().then((value) => done([value ?? null]), (error) => done(`${{error}}`));"
        );
        let result = self.driver.execute_async(script, Vec::new()).await;
        let result = result.unwrap_or_else(|error| panic!("{promise}: {error}")).json().clone();
        match result {
            Value::Array(mut value) => value.remove(0),
            error => panic!("{promise}: {error}"),
        }
    }

    /// Runs a script in the page. In Firefox it becomes a part of the page: drivers run theirs in a world
    /// beside it, with a clock and variables of its own.
    ///
    /// # Panics
    ///
    /// It throws.
    pub async fn run(&self, script: &str) {
        const AS_A_PART: &str = "const element = document.createElement('script');
            element.textContent = arguments[0];
            document.head.append(element);";
        let result = match self.engine {
            Engine::Firefox => self.driver.execute(AS_A_PART, vec![script.into()]).await,
            _ => self.driver.execute(script, Vec::new()).await,
        };
        result.unwrap_or_else(|error| panic!("{script}: {error}"));
    }

    /// Takes the network away from Chromium's page, or gives it back.
    ///
    /// # Panics
    ///
    /// It is another engine: no other one can do that.
    pub async fn set_offline(&self, offline: bool) {
        let session = self.driver.session_id();
        let url = format!("{}/session/{session}/chromium/network_conditions", self.process.url);
        let conditions = json!({"offline": offline, "latency": 0, "throughput": -1});
        let body = json!({"network_conditions": conditions}).to_string();
        let answer = reqwest::Client::new().post(url).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    /// Gives Chromium's page a window of this width, as narrow as a phone too.
    ///
    /// # Panics
    ///
    /// It is another engine: no other one can do that.
    pub async fn set_width(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.tell_chromium("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// Runs a script in each of Chromium's pages from now on, before those of the page.
    ///
    /// # Panics
    ///
    /// It is another engine: no other one can do that.
    pub async fn run_before_pages(&self, script: &str) {
        self.tell_chromium("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script})).await;
    }

    /// A command of the Chrome DevTools protocol.
    async fn tell_chromium(&self, command: &str, parameters: &Value) {
        let session = self.driver.session_id();
        let url = format!("{}/session/{session}/goog/cdp/execute", self.process.url);
        let body = json!({"cmd": command, "params": parameters}).to_string();
        let answer = reqwest::Client::new().post(url).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    /// Keeps a picture of the window, from the page's top, as `target/artifacts/<name>-<engine>.png`.
    ///
    /// # Panics
    ///
    /// It cannot be taken or written.
    pub async fn keep_screenshot(&self, name: &str) -> PathBuf {
        let folder = target_directory().join("artifacts");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let engine = format!("{:?}", self.engine).to_lowercase();
        let path = folder.join(format!("{name}-{engine}.png"));
        self.driver.screenshot(&path).await.expect("a picture is taken");
        path
    }

    /// Ends the browser.
    pub async fn close(self) {
        // Whether it says goodbye or not: dropping its driver ends it.
        let _ = self.driver.quit().await;
    }

    async fn text(&self) -> String {
        let body = self.driver.find(By::Tag("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }
}
