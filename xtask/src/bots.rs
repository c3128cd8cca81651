//! The lists of robots' user agents in `server/src/bots`, brought up to date from npm.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::process::{command, run, run_and_read};
use crate::{root, target};

/// Print a package's version and its patterns, one a line.
const CRAWLERS: &str = "
const read = (file) => JSON.parse(require('fs').readFileSync('node_modules/crawler-user-agents/' + file));
const patterns = read('crawler-user-agents.json').map((entry) => entry.pattern.replaceAll('\\\\/', '/'));
console.log([read('package.json').version, ...patterns].join('\\n'))";
const ISBOT: &str = "
const version = JSON.parse(require('fs').readFileSync('node_modules/isbot/package.json')).version;
console.log([version, ...require('isbot').list].join('\\n'))";

/// Writes `crawlers.txt` and `isbot.txt` again. Then run the tests of `bots`: they tell whether a new pattern matches
/// people's browsers, and so belongs into `left_out.txt`.
pub(crate) fn refresh() -> Result<()> {
    let folder = target().join("bots");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"private\":true}")?;
    run(command("npm").args(["install", "crawler-user-agents@latest", "isbot@latest"]).current_dir(&folder))?;
    for (script, name, origin) in [
        (CRAWLERS, "crawlers.txt", ["crawler-user-agents", "MIT licence, (c) 2017 Martin Monperrus"]),
        (ISBOT, "isbot.txt", ["isbot", "Unlicense"]),
    ] {
        let (done, printed) = run_and_read(command("node").args(["-e", script]).current_dir(&folder))?;
        let (version, patterns) = printed.split_once('\n').context("node printed nothing")?;
        if !done || patterns.lines().count() < 100 {
            bail!("the package {} has changed its format; adapt xtask/src/bots.rs", origin[0]);
        }
        let [package, licence] = origin;
        let text = format!("# {package} {version}, {licence}. Written by `cargo xtask bots`.\n{patterns}");
        fs::write(root().join("server/src/bots").join(name), text)?;
        println!("{name}: {package} {version}, {} patterns", patterns.lines().count());
    }
    Ok(())
}
