//! A real Chromium, driven through chromedriver.

use crate::machine::{PATIENCE, free_port, target_directory};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thirtyfour::prelude::*;

/// As root there is no sandbox; and nothing shall be fetched but what the test asks for.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
    // A browser under automation is not counted as a person: this one must look like one.
    "--disable-blink-features=AutomationControlled",
];

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                          Chrome/140.0.0.0 Safari/537.36";

/// A browser with a fresh profile.
#[derive(Debug)]
pub struct Browser {
    /// The WebDriver session.
    pub driver: WebDriver,
    /// Dropped after the session: ends chromedriver, and with it the browser.
    _chromedriver: Chromedriver,
    _profile: TempDir,
}

impl Browser {
    /// Starts chromedriver and the browser.
    ///
    /// # Panics
    ///
    /// One of them is missing or does not start.
    pub async fn open() -> Self {
        let chromedriver = Chromedriver::start().await;
        let profile = tempfile::tempdir().expect("a directory for the profile");
        let mut capabilities = DesiredCapabilities::chrome();
        let arguments = ARGUMENTS.iter().map(ToString::to_string).chain([
            format!("--user-agent={USER_AGENT}"),
            format!("--user-data-dir={}", profile.path().display()),
        ]);
        for argument in arguments {
            capabilities.add_arg(&argument).expect("an argument is text");
        }
        let driver = WebDriver::new(&chromedriver.url, capabilities).await;
        let driver = driver.expect("Chromium starts; `cargo xtask test install` installs it");
        Self { driver, _chromedriver: chromedriver, _profile: profile }
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
        let css = format!("[data-testid=\"{test_id}\"]");
        let query = self.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50));
        match query.and_displayed().first().await {
            Ok(element) => element,
            Err(_) => panic!("the page shows no {test_id}:\n{}", self.text().await),
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
    pub async fn evaluate(&self, expression: &str) -> serde_json::Value {
        let script = format!("return {expression};");
        let result = self.driver.execute(script, Vec::new()).await;
        result.expect("the script runs").json().clone()
    }

    /// Keeps a picture of the window, from the page's top, as `target/artifacts/<name>`.
    ///
    /// # Panics
    ///
    /// It cannot be taken or written.
    pub async fn keep_screenshot(&self, name: &str) -> PathBuf {
        let folder = target_directory().join("artifacts");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let path = folder.join(name);
        self.driver.screenshot(&path).await.expect("a picture is taken");
        path
    }

    /// Ends the browser.
    pub async fn close(self) {
        // Whether it says goodbye or not: dropping chromedriver ends it.
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

#[derive(Debug)]
struct Chromedriver {
    url: String,
    process: Child,
}

impl Chromedriver {
    async fn start() -> Self {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let port = free_port();
        let process = Command::new(program)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts; `cargo xtask test install` installs it");
        let chromedriver = Self { url: format!("http://127.0.0.1:{port}"), process };
        let deadline = Instant::now() + PATIENCE;
        while !chromedriver.answers().await {
            assert!(Instant::now() < deadline, "chromedriver does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        chromedriver
    }

    async fn answers(&self) -> bool {
        let answer = reqwest::get(format!("{}/status", self.url)).await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

impl Drop for Chromedriver {
    /// SIGTERM, not SIGKILL: chromedriver then ends its browser too.
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.process.id()) {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = self.process.wait();
    }
}
