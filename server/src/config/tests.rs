use clap::{CommandFactory as _, Parser as _};

use super::commands::{Cli, Command};
use super::*;

const POSTGRES: [&str; 2] = ["--database-url", "postgres://db/x"];

fn serve(flags: &[&str]) -> Result<Box<Serve>, String> {
    let cli =
        Cli::try_parse_from(["visitflow", "serve"].iter().chain(flags)).map_err(|error| error.to_string())?;
    let Command::Serve(serve) = cli.command else {
        return Err("not serve".into());
    };
    serve.validate(&cli.common.database_url).map(|()| serve)
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn without_flags_everything_is_embedded() {
    let serve = serve(&[]).unwrap();
    assert_eq!(serve.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(serve.ttl(), Ttl::default());
    assert_eq!(serve.trusted_proxies.len(), 2);
}

#[test]
fn a_trusted_proxy_is_a_network_or_an_address() {
    let proxies = |text| serve(&["--trusted-proxy", text]).map(|serve| serve.trusted_proxies);
    let networks = proxies("10.0.0.0/8,192.0.2.7,::1").unwrap();
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "::1/128"]);
    assert!(proxies("proxy.example").unwrap_err().contains("or one address"));
}

#[test]
fn a_key_works_for_a_second_at_least() {
    let add = |expires| Cli::try_parse_from(["visitflow", "key", "add", "shop", "--expires", expires]);
    for expires in ["1s", "12h", "90d", "52w", "1d 12h"] {
        add(expires).unwrap();
    }
    for expires in ["0s", "500ms"] {
        assert!(add(expires).unwrap_err().to_string().contains("for at least 1s"));
    }
    for unclear in ["soon", "", "12", "1y", "2months", "1h ago"] {
        assert!(add(unclear).unwrap_err().to_string().contains("for example: 90d or 12h"), "{unclear}");
    }
}

#[test]
fn a_server_that_is_not_on_loopback_warns_if_public_url_is_not_set() {
    let warns = |flags: &[&str]| serve(flags).unwrap().origin_warning().is_some();
    assert!(!warns(&[]));
    assert!(!warns(&["--listen", "[::1]:8080"]));
    assert!(!warns(&["--listen", "[::ffff:127.0.0.1]:8080"]));
    assert!(warns(&["--listen", "0.0.0.0:8080"]));
    assert!(warns(&["--listen", "[::]:8080", "--allowed-origin", "https://shop.example"]));
    assert!(!warns(&["--listen", "0.0.0.0:8080", "--public-url", "https://stats.example"]));
}

#[test]
fn the_audience_of_assertions_is_said_or_the_public_url_or_a_word() {
    let audience = |flags: &[&str]| serve(flags).unwrap().audience().to_owned();
    let (url, key) = (["--public-url", "https://Stats.example/"], ["--jwt-key", "k"]);
    assert_eq!(audience(&[]), "visitflow");
    assert_eq!(audience(&url), "https://stats.example");
    assert_eq!(audience(&[&url[..], &key, &["--jwt-audience", "shop"]].concat()), "shop");
}

#[test]
fn a_spool_has_a_size_and_reports_may_come_from_a_replica() {
    let with = |flags: &[&str]| serve(flags).unwrap();
    assert_eq!(with(&[]).spool_max, 1 << 30);
    assert_eq!(with(&["--spool-max", "512M"]).spool_max, 512 << 20);
    assert_eq!(with(&["--spool-max", "2g"]).spool_max, 2 << 30);
    assert_eq!(with(&["--spool-max", "5000000"]).spool_max, 5_000_000);
    let with = |flags: &[&str]| with(&[&POSTGRES[..], flags].concat());
    assert_eq!(with(&["--retention-days", "90"]).retention_days, Some(90));
    assert!(with(&["--report-database-url", "postgres://replica/x"]).report_database().unwrap().is_some());
}

#[test]
fn sites_are_taken_by_their_one_name() {
    let all = serve(&[]).unwrap();
    assert!(all.takes("shop.example"));
    let two =
        serve(&["--site", "WWW.Shop.example:8443", "--site", "b\u{fc}cher.example,other.example"]).unwrap();
    assert_eq!(two.sites, ["shop.example", "xn--bcher-kva.example", "other.example"]);
    assert!(two.takes("other.example") && !two.takes("evil.example") && !two.takes(""));
}

#[test]
fn a_password_for_redis_is_in_no_error_and_no_help() {
    let error = serve(&["--redis-url", "http://:secret@host"]).unwrap_err();
    assert!(error.contains("redis://host:6379") && !error.contains("secret"), "{error}");
    let serve = serve(&["--redis-url", "redis://:secret@host"]).unwrap();
    assert!(!format!("{serve:?}").contains("secret"));
    let command = Cli::command();
    let flag = command.find_subcommand("serve").unwrap().get_arguments().find(|a| a.get_id() == "redis_url");
    assert!(flag.unwrap().is_hide_env_values_set());
}

#[test]
fn an_installation_moves_from_sqlite_to_postgres_and_no_other_way() {
    let ends = |flags: &[&str]| {
        let cli = Cli::try_parse_from(["visitflow", "migrate"].iter().chain(flags))
            .map_err(|error| error.to_string())?;
        let Command::Migrate(ends) = cli.command else { return Err("not migrate".into()) };
        ends.ends()
    };
    let (file, postgres) = ("sqlite://a.db", "postgres://u:secret@db/x");
    assert_eq!(ends(&[]), Ok(None));
    assert!(ends(&["--from", file, "--to", postgres]).unwrap().is_some());
    for (flags, hint) in [
        (&["--from", file][..], "--to"),
        (&["--to", postgres], "--from"),
        (&["--from", postgres, "--to", file], "--from: write sqlite://"),
        (&["--from", file, "--to", file], "--to: write postgres://"),
    ] {
        let error = ends(flags).unwrap_err();
        assert!(error.contains(hint) && !error.contains("secret"), "{flags:?}: {error}");
    }
}

#[test]
fn what_cannot_work_is_refused_with_a_way_out() {
    for (flags, hint) in [
        (&["--session-max", "1m"][..], "--session-idle"),
        (&["--cookie-prefix", "host", "--cookie-domain", "a.example"], "remove --cookie-domain"),
        (&["--cookie-name", "session_id=visitor_id"], "a different name"),
        (&["--cookie-name", "sid=shop_sid"], "session_id"),
        (&["--cookie-name", "session_id=__Host-x"], "--cookie-prefix host"),
        (&["--session-idle", "30"], "for example: 30m"),
        (&["--idle-timeout", "0s"], "1s to 1h"),
        (&["--allowed-origin", "shop.example"], "https://"),
        (&["--path-prefix", "visits/"], "/visits"),
        (&["--path-prefix", "/api"], "choose another path"),
        (&["--tls-cert", "a.pem"], "--tls-key"),
        (&["--jwt-audience", "shop"], "--jwt-key"),
        (&["--jwt-max-age", "2h"], "--jwt-key"),
        (&["--jwt-key", "k", "--jwt-max-age", "long"], "--jwt-max-age"),
        (&["--report-database-url", "sqlite://a.db"], "postgres://"),
        (&["--report-database-url", "postgres://"], "--report-database-url"),
        (&["--site", "https://shop.example/"], "such as shop.example"),
        (&["--keep-query", "none"], "safe, all"),
        (&["--bot-pattern", "("], "--bot-pattern"),
        (&["--bot-pattern", ".*"], "every user agent"),
        (&["--spool-max", "1T"], "512M"),
        (&["--spool-max", "1K"], "1M"),
        (&["--retention-days", "0"], "1..=3650"),
        (&["--retention-days", "90"], "--retention-days works with Postgres only"),
        (&["--report-database-url", "postgres://db/x"], "--report-database-url works with Postgres only"),
        (&["--listen", "8080", "--admin-listen", "127.0.0.1:8080"], "different ports"),
        (&["--log", "loud"], "write error, warn"),
    ] {
        let error = serve(flags).unwrap_err();
        assert!(error.contains(hint), "{flags:?}: {error}");
    }
}

#[test]
fn an_address_to_listen_on_is_written_in_many_ways() {
    for (text, address) in [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("localhost:9000", "127.0.0.1:9000"),
        ("[::1]:9000", "[::1]:9000"),
        (":9000", "[::]:9000"),
        ("9000", "[::]:9000"),
        ("*:9000", "[::]:9000"),
        ("0.0.0.0:90", "0.0.0.0:90"),
        ("[::]:0", "[::]:0"),
    ] {
        for flag in ["--listen", "--admin-listen"] {
            let serve = serve(&[flag, text]).unwrap();
            let found = if flag == "--listen" { serve.listen } else { serve.admin_listen };
            assert_eq!(found, address.parse().unwrap(), "{flag} {text}");
        }
    }
    for text in [
        "",
        ":",
        "127.0.0.1",
        "::1",
        "::1:8080",
        "[::1]",
        "localhost",
        "localhost:",
        "8080:",
        "99999",
        "-1",
        ":http",
    ]
    .into_iter()
    .chain(["http://localhost:8080", "localhost:8080/", "no-such-host.invalid:8080"])
    {
        let wrong = serve(&[&format!("--listen={text}")]).unwrap_err();
        assert!(wrong.contains("write 127.0.0.1:8080"), "{text}: {wrong}");
    }
}

#[test]
fn tls_and_the_scheme_of_the_public_url_go_together() {
    let told = |flags: &[&str]| serve(flags).map(|serve| (serve.mistakes(), serve.notes())).unwrap();
    let tls = ["--tls-cert", "a.pem", "--tls-key", "b.pem"];
    let (http, https) = (["--public-url", "http://a.example"], ["--public-url", "https://a.example"]);
    let (mistakes, notes) = told(&[&tls[..], &http].concat());
    assert!(mistakes[0].contains("write https://") && notes.is_empty(), "{mistakes:?} {notes:?}");
    let (mistakes, notes) = told(&https);
    assert!(notes[0].contains("a proxy in front of it must end TLS") && mistakes.is_empty(), "{notes:?}");
    for flags in [&[&tls[..], &https].concat()[..], &http, &tls, &[]] {
        assert_eq!(told(flags), (Vec::new(), Vec::new()), "{flags:?}");
    }
}

#[test]
fn who_is_remembered_is_so_for_longer_than_others() {
    assert_eq!(serve(&["--session-remember", "7d"]).unwrap().ttl().remember_idle_ms, 7 * 86_400_000);
    for (flags, told) in [
        (["--session-remember", "10m"], "--session-remember is shorter than --session-idle"),
        (["--session-remember-max", "12h"], "--session-remember-max is shorter than --session-max"),
        (["--session-remember-max", "29d"], "--session-remember-max is shorter than --session-remember"),
        (["--session-remember", "401d"], "from 1s to 400d"),
        (["--session-remember", "forever"], "for example: 30m or 24h"),
    ] {
        let error = serve(&flags).unwrap_err();
        assert!(error.contains(told), "{flags:?}: {error}");
    }
}
