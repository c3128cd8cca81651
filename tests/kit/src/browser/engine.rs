//! The engines that people's browsers have, and how each is driven here.

use crate::machine::{PATIENCE, free_port, target_directory};
use crate::process::Process;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, ChromiumLikeCapabilities};

/// What a browser is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Engine {
    /// Chrome, Edge and many others.
    Chromium,
    /// Gecko.
    Firefox,
    /// Safari's engine.
    WebKit,
}

/// As root there is no sandbox; and nothing shall be fetched but what the test asks for.
const CHROMIUM: &[&str] = &[
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
    // Hosts of this domain are this machine, which the browser does not know: no loopback to it.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
    // A browser under automation is not counted as a person: this one must look like one.
    "--disable-blink-features=AutomationControlled",
];

/// Headless Chromium says so, and would count as a bot.
const CHROMIUM_SAYS: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                             Chrome/140.0.0.0 Safari/537.36";

impl Engine {
    /// Whether the engine keeps `Secure` cookies of a loopback address without TLS; Safari does not.
    #[must_use]
    pub fn trusts_loopback(self) -> bool {
        self != Self::WebKit
    }

    pub(super) fn capabilities(self, profile: &Path, cookies: bool) -> Capabilities {
        let capabilities = match self {
            Self::Chromium => chromium(profile, cookies),
            Self::Firefox => firefox(cookies),
            Self::WebKit => webkit(cookies),
        };
        capabilities.expect("capabilities are JSON")
    }

    fn driver(self, port: u16, profile: &Path) -> Command {
        let named = |variable: &str, name: &str| {
            let own = target_directory().join("tools/bin").join(name);
            let found = if own.is_file() { own } else { name.into() };
            Command::new(std::env::var_os(variable).map_or(found, PathBuf::from))
        };
        match self {
            Self::Chromium => {
                let mut driver = named("CHROMEDRIVER", "chromedriver");
                driver.arg(format!("--port={port}"));
                driver
            }
            Self::Firefox => {
                let mut driver = named("GECKODRIVER", "geckodriver");
                // Without a port of its own a second one would want the same as the first.
                driver.args(["--port", &port.to_string(), "--websocket-port", "0", "--profile-root"]);
                driver.arg(profile);
                driver
            }
            Self::WebKit => {
                let mut driver = named("WEBKITDRIVER", "WebKitWebDriver");
                driver.arg(format!("--port={port}"));
                driver
            }
        }
    }
}

fn chromium(profile: &Path, cookies: bool) -> WebDriverResult<Capabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    let arguments = CHROMIUM
        .iter()
        .map(ToString::to_string)
        .chain([format!("--user-agent={CHROMIUM_SAYS}"), format!("--user-data-dir={}", profile.display())]);
    for argument in arguments {
        capabilities.add_arg(&argument)?;
    }
    if !cookies {
        const BLOCK: u8 = 2;
        let preferences = json!({"profile.default_content_setting_values.cookies": BLOCK});
        capabilities.add_experimental_option("prefs", preferences)?;
    }
    Ok(capabilities.into())
}

fn firefox(cookies: bool) -> WebDriverResult<Capabilities> {
    let mut capabilities = DesiredCapabilities::firefox();
    capabilities.add_arg("-headless")?;
    if !cookies {
        const BLOCK: u8 = 2;
        let mut preferences = FirefoxPreferences::new();
        preferences.set("network.cookie.cookieBehavior", BLOCK)?;
        capabilities.set_preferences(preferences)?;
    }
    Ok(capabilities.into())
}

fn webkit(cookies: bool) -> WebDriverResult<Capabilities> {
    let mut arguments = vec!["--automation"];
    arguments.extend((!cookies).then_some("--cookies-policy=never"));
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "MiniBrowser")?;
    // The certificates of the tests are their own.
    capabilities.set("acceptInsecureCerts", true)?;
    capabilities.set("webkitgtk:browserOptions", json!({"binary": mini_browser(), "args": arguments}))?;
    Ok(capabilities)
}

/// WebKitGTK's browser; Debian keeps it in a folder for the machine's architecture.
fn mini_browser() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut places = folders.map(|folder| folder.path().join("webkit2gtk-4.1/MiniBrowser"));
    let found = places.find(|place| place.is_file());
    found.expect("MiniBrowser is there; `cargo xtask test install` installs it")
}

/// A running driver; dropping it kills it and its browser.
#[derive(Debug)]
pub(super) struct Driver {
    /// Where it listens.
    pub(super) url: String,
    // Dropped in this order: the browser goes before its screen.
    _process: Process,
    _screen: Option<Screen>,
}

impl Driver {
    /// Starts the driver of an engine and waits until it answers.
    pub(super) async fn start(engine: Engine, profile: &Path) -> Self {
        let port = free_port();
        let mut command = engine.driver(port, profile);
        let screen = (engine == Engine::WebKit).then(Screen::start);
        if let Some(screen) = &screen {
            command.env("DISPLAY", &screen.name);
        }
        // Whatever the browser keeps at home ends with the profile.
        command.env("HOME", profile).env("NO_AT_BRIDGE", "1");
        // Without a language WebKit tells pages that theirs is "C", which is none.
        command.env("LANG", "en_US.UTF-8").env("LANGUAGE", "en_US");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = Self {
            url: format!("http://127.0.0.1:{port}"),
            _process: Process::start(&mut command),
            _screen: screen,
        };
        let deadline = Instant::now() + PATIENCE;
        while !driver.answers().await {
            assert!(Instant::now() < deadline, "the driver of {engine:?} does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        driver
    }

    async fn answers(&self) -> bool {
        let answer = reqwest::get(format!("{}/status", self.url)).await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

/// A screen in memory: WebKitGTK cannot do without one.
#[derive(Debug)]
struct Screen {
    name: String,
    _process: Process,
}

impl Screen {
    fn start() -> Self {
        let (read, write) = std::io::pipe().expect("a pipe");
        let mut command = Command::new("Xvfb");
        // It chooses its own number, and says on its stdout which.
        command.args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]);
        command.stdin(Stdio::null()).stdout(write).stderr(Stdio::null());
        let process = Process::start(&mut command);
        drop(command); // and with it this end of the pipe
        let mut number = String::new();
        BufReader::new(read).read_line(&mut number).expect("Xvfb says its number");
        Self { name: format!(":{}", number.trim()), _process: process }
    }
}
