//! Reading the figures that test runners print.

/// How many tests a runner ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were ignored or skipped: none is allowed.
    pub(crate) skipped: u64,
}

impl Count {
    /// Adds up every closing line in the output of cargo test, wasm-bindgen-test or node --test.
    #[must_use]
    pub(crate) fn read(output: &str) -> Self {
        let mut total = Self::default();
        for line in output.lines() {
            let line = line.trim();
            if let Some(figures) = line.strip_prefix("test result:") {
                total.passed += before(figures, " passed");
                total.failed += before(figures, " failed");
                total.skipped += before(figures, " ignored");
            } else if let Some(figure) = line.strip_prefix("# ").or(line.strip_prefix("ℹ ")) {
                total.passed += after(figure, "pass ");
                total.failed += after(figure, "fail ") + after(figure, "cancelled ");
                total.skipped += after(figure, "skipped ") + after(figure, "todo ");
            }
        }
        total
    }
}

/// The number that stands before a word: `"ok. 12 passed; 0 failed"`, `" passed"` → 12.
fn before(figures: &str, word: &str) -> u64 {
    figures
        .split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The number that stands after a word, alone to the line's end.
fn after(figure: &str, word: &str) -> u64 {
    figure.strip_prefix(word).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn cargo_s_closing_lines_are_added_up() {
        let output = "running 3 tests\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s\n\
            test result: FAILED. 2 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out\n";
        let count = Count { passed: 14, failed: 1, skipped: 3 };
        assert_eq!(Count::read(output), count);
    }

    #[test]
    fn node_s_closing_lines_are_read_in_both_forms() {
        let lines = ["tests 9", "pass 6", "fail 1", "cancelled 0", "skipped 1", "todo 1"];
        for mark in ["#", "ℹ"] {
            let output: String = lines.iter().map(|line| format!("{mark} {line}\n")).collect();
            let count = Count { passed: 6, failed: 1, skipped: 2 };
            assert_eq!(Count::read(&output), count);
        }
    }

    #[test]
    fn other_lines_say_nothing() {
        assert_eq!(Count::read("pass 3\n# a heading\n3 passed\n"), Count::default());
    }
}
