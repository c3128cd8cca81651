use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64URL};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "VKt9zqQ0mS3aG1vXoYb7Hc5eRf8TjWuL";
const AUDIENCE: &str = "visitflow";
const MAX_AGE: Duration = Duration::from_secs(3_600);
const NOW_S: i64 = 1_790_000_000;
const NOW: Millis = NOW_S * 1_000;

/// An RSA key whose private half is gone, and what it once signed: `{"sub": "ada", "aud":
/// "visitflow", "exp": NOW_S + 60}`.
const RSA: &str = include_str!("fixtures/rsa2048.pem");
const RSA_1024: &str = include_str!("fixtures/rsa1024.pem");
const RS256: &str = include_str!("fixtures/rs256.jwt");
const RS512: &str = include_str!("fixtures/rs512.jwt");
const PS256: &str = include_str!("fixtures/ps256.jwt");

fn assertions(key: &str) -> Assertions {
    Assertions::new(key.as_bytes(), AUDIENCE, MAX_AGE).unwrap()
}

fn claims() -> Value {
    json!({ "sub": "ada", "aud": AUDIENCE, "exp": NOW_S + 60 })
}

/// The claims with one of them replaced; null leaves it out.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn signed(claims: &Value) -> String {
    signed_by(Algorithm::HS256, &EncodingKey::from_secret(SECRET.as_bytes()), claims)
}

fn signed_by(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn judged(claims: &Value) -> Result<String, Flaw> {
    assertions(SECRET).subject(&signed(claims), NOW)
}

/// A key pair: the private half to sign with, the public half in PEM.
fn pair(algorithm: &'static SignatureAlgorithm) -> (String, String) {
    let pair = KeyPair::generate_for(algorithm).unwrap();
    (pair.serialize_pem(), pair.public_key_pem())
}

#[test]
fn each_kind_of_key_verifies_with_its_algorithm() {
    assert_eq!(judged(&claims()).as_deref(), Ok("ada"));
    assert_eq!(assertions(RSA).subject(RS256.trim(), NOW).as_deref(), Ok("ada"));
    let (private, public) = pair(&PKCS_ECDSA_P256_SHA256);
    let key = EncodingKey::from_ec_pem(private.as_bytes()).unwrap();
    let token = signed_by(Algorithm::ES256, &key, &claims());
    assert_eq!(assertions(&public).subject(&token, NOW).as_deref(), Ok("ada"));
    let (private, public) = pair(&PKCS_ED25519);
    let key = EncodingKey::from_ed_pem(private.as_bytes()).unwrap();
    let token = signed_by(Algorithm::EdDSA, &key, &claims());
    assert_eq!(assertions(&public).subject(&token, NOW).as_deref(), Ok("ada"));
}

#[test]
fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let (_, ec) = pair(&PKCS_ECDSA_P256_SHA256);
    let (_, ed) = pair(&PKCS_ED25519);
    for public in [RSA, &ec, &ed] {
        let der: String = public.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(der).unwrap();
        for secret in [public.as_bytes(), public.trim().as_bytes(), &der] {
            let token = signed_by(Algorithm::HS256, &EncodingKey::from_secret(secret), &claims());
            assert_eq!(assertions(public).subject(&token, NOW), Err(Flaw::Algorithm));
        }
    }
}

#[test]
fn the_header_chooses_no_algorithm() {
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = signed_by(algorithm, &secret, &claims());
        assert_eq!(assertions(SECRET).subject(&token, NOW), Err(Flaw::Algorithm));
    }
    for token in [RS512, PS256] {
        assert_eq!(assertions(RSA).subject(token.trim(), NOW), Err(Flaw::Algorithm));
        assert_eq!(assertions(SECRET).subject(token.trim(), NOW), Err(Flaw::Algorithm));
    }
    // A header that names the right one does not help a signature of another.
    let (_, rest) = RS512.trim().split_once('.').unwrap();
    let renamed = format!("{}.{rest}", BASE64URL.encode(r#"{"alg":"RS256"}"#));
    assert_eq!(assertions(RSA).subject(&renamed, NOW), Err(Flaw::Signature));
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let payload = BASE64URL.encode(claims().to_string());
    for alg in ["none", "None", "NONE", ""] {
        let header = BASE64URL.encode(json!({ "alg": alg }).to_string());
        for key in [SECRET, RSA] {
            for token in [format!("{header}.{payload}."), format!("{header}.{payload}")] {
                assert_eq!(assertions(key).subject(&token, NOW), Err(Flaw::Malformed), "{alg}");
            }
        }
    }
    let token = signed(&claims());
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    assert_eq!(assertions(SECRET).subject(&format!("{unsigned}."), NOW), Err(Flaw::Signature));
}

#[test]
fn a_token_of_another_key_or_changed_underway_is_refused() {
    let other = EncodingKey::from_secret(b"another secret that is long enough");
    let token = signed_by(Algorithm::HS256, &other, &claims());
    assert_eq!(assertions(SECRET).subject(&token, NOW), Err(Flaw::Signature));
    let (ada, bob) = (signed(&claims()), signed(&claims_with("sub", json!("bob"))));
    let (ada, bob): (Vec<_>, Vec<_>) = (ada.split('.').collect(), bob.split('.').collect());
    let mixed = [ada[0], bob[1], ada[2]].join(".");
    assert_eq!(assertions(SECRET).subject(&mixed, NOW), Err(Flaw::Signature));
    let (_, public) = pair(&PKCS_ECDSA_P256_SHA256);
    let (foreign, _) = pair(&PKCS_ECDSA_P256_SHA256);
    let foreign = EncodingKey::from_ec_pem(foreign.as_bytes()).unwrap();
    let token = signed_by(Algorithm::ES256, &foreign, &claims());
    assert_eq!(assertions(&public).subject(&token, NOW), Err(Flaw::Signature));
}

#[test]
fn what_is_no_token_is_refused() {
    let token = signed(&claims());
    let list = signed(&json!(["ada"]));
    let twice = format!("{token}.{token}");
    for text in ["", ".", "..", "...", "a.b.c", "\0", "é.é.é", &token[..token.len() / 2], &list, &twice] {
        let flaw = assertions(SECRET).subject(text, NOW);
        assert!(matches!(flaw, Err(Flaw::Malformed | Flaw::Signature)), "{text:?}: {flaw:?}");
    }
}

/// A token of which header and claims are written out.
fn written(header: &str, claims: &str) -> String {
    let unsigned = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(unsigned.as_bytes(), &secret, Algorithm::HS256).unwrap();
    format!("{unsigned}.{signature}")
}

#[test]
fn an_extension_that_must_be_understood_is_not() {
    let judged = |header: &str| assertions(SECRET).subject(&written(header, &claims().to_string()), NOW);
    assert!(judged(r#"{"alg":"HS256","typ":"JWT","kid":"7","x":"crit"}"#).is_ok());
    for crit in ["null", "[]", r#"["b64"]"#, r#"["exp"]"#, r#"[""]"#] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit}}}"#);
        assert_eq!(judged(&header), Err(Flaw::Critical), "{crit}");
    }
    assert_eq!(judged(r#"{"alg":"HS256","b64":"no"}"#), Err(Flaw::Critical));
    // What the library cannot read is refused before that.
    for extension in [r#""crit":"b64""#, r#""crit":[7]"#, r#""b64":false"#, r#""b64":true"#, r#""b64":null"#]
    {
        assert!(judged(&format!(r#"{{"alg":"HS256",{extension}}}"#)).is_err(), "{extension}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let claims = claims().to_string();
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","x":1,"x":1}"#,
        r#"{"alg":"HS256","\u0078":1,"x":1}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","kty":"RSA"}}"#,
    ] {
        assert_eq!(
            assertions(SECRET).subject(&written(header, &claims), NOW),
            Err(Flaw::Malformed),
            "{header}"
        );
    }
    let claims = claims.trim_end_matches('}');
    for more in [
        r#""sub":"bob""#,
        r#""exp":1"#,
        r#""x":1,"x":2"#,
        r#""aud":"visitflow""#,
        r#""a":{"x":1,"x":2}"#,
        r#""a":[1,{"b":[{"x":{},"\u0078":null}]}]"#,
    ] {
        let claims = format!("{claims},{more}}}");
        let token = written(r#"{"alg":"HS256"}"#, &claims);
        assert_eq!(assertions(SECRET).subject(&token, NOW), Err(Flaw::Malformed), "{more}");
    }
    let apart = r#""a":{"x":1,"sub":-2,"a":[{"x":1.5},{"x":"x"},true,null]}"#;
    let token = written(r#"{"alg":"HS256"}"#, &format!("{claims},{apart}}}"));
    assert_eq!(assertions(SECRET).subject(&token, NOW).as_deref(), Ok("ada"), "one name in several objects");
}

#[test]
fn a_token_is_good_for_an_hour_at_most() {
    let expiring = |exp: Value| judged(&claims_with("exp", exp));
    assert!(expiring(json!(NOW_S + 3_630)).is_ok());
    for exp in [json!(NOW_S + 3_631), json!(NOW_S * 1_000), json!(1e300), json!(u64::MAX)] {
        assert_eq!(expiring(exp.clone()), Err(Flaw::Lasting), "{exp}");
    }
    let issued = |iat: Value| judged(&claims_with("iat", iat));
    for iat in [json!(NOW_S), json!(NOW_S + 30), json!(NOW_S - 3_630), json!(NOW_S as f64 - 0.5)] {
        assert!(issued(iat.clone()).is_ok(), "{iat}");
    }
    for iat in [json!(NOW_S - 3_631), json!(0), json!(-1e300)] {
        assert_eq!(issued(iat.clone()), Err(Flaw::Lasting), "{iat}");
    }
    for iat in [json!(NOW_S + 31), json!(NOW_S.to_string()), json!([]), json!({}), json!(true), json!(1e300)]
    {
        assert_eq!(issued(iat.clone()), Err(Flaw::Issued), "{iat}");
    }
    let day = Assertions::new(SECRET.as_bytes(), AUDIENCE, Duration::from_secs(86_400)).unwrap();
    assert!(day.subject(&signed(&claims_with("exp", json!(NOW_S + 86_400))), NOW).is_ok());
}

#[test]
fn a_token_is_good_until_half_a_minute_after_its_end() {
    let expiring = |exp: Value| judged(&claims_with("exp", exp));
    assert!(expiring(json!(NOW_S - 29)).is_ok());
    assert!(expiring(json!(NOW_S as f64 - 29.5)).is_ok(), "RFC 7519 allows fractions");
    let text = json!((NOW_S + 60).to_string());
    let no_number = [json!(null), json!("2099-01-01"), text, json!([]), json!({}), json!(true)];
    let over = [json!(NOW_S - 30), json!(0), json!(-1), json!(-1e300)];
    for exp in over.into_iter().chain(no_number) {
        assert_eq!(expiring(exp.clone()), Err(Flaw::Expired), "{exp}");
    }
    assert!(expiring(json!([NOW_S + 60])).is_err());
}

#[test]
fn time_is_the_caller_s_and_not_the_system_s() {
    let token = signed(&claims());
    let at = |now| assertions(SECRET).subject(&token, now);
    assert!(at(NOW - 3_000_000).is_ok());
    assert_eq!(at(0), Err(Flaw::Lasting));
    assert!(at(NOW + 89_999).is_ok());
    assert_eq!(at(NOW + 90_000), Err(Flaw::Expired));
}

#[test]
fn a_token_is_good_from_half_a_minute_before_its_beginning() {
    let beginning = |nbf: Value| judged(&claims_with("nbf", nbf));
    for nbf in [json!(NOW_S + 30), json!(NOW_S - 1_000), json!(0)] {
        assert!(beginning(nbf.clone()).is_ok(), "{nbf}");
    }
    for nbf in [json!(NOW_S + 31), json!("now"), json!({})] {
        assert_eq!(beginning(nbf.clone()), Err(Flaw::Early), "{nbf}");
    }
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let meant = |aud: Value| judged(&claims_with("aud", aud));
    assert!(meant(json!(["shop", AUDIENCE])).is_ok());
    for aud in [
        json!(null),
        json!("shop"),
        json!("visitflow "),
        json!("Visitflow"),
        json!(""),
        json!([]),
        json!(["shop"]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 7]),
        json!([AUDIENCE, null]),
        json!(true),
        json!({ AUDIENCE: AUDIENCE }),
        json!(7),
    ] {
        assert_eq!(meant(aud.clone()), Err(Flaw::Audience), "{aud}");
    }
}

#[test]
fn a_subject_is_a_text_that_can_be_a_user_id() {
    let named = |sub: Value| judged(&claims_with("sub", sub));
    let longest = "é".repeat(128);
    for sub in ["1", "ada@shop.example", "auth0|5f7c", "U_1", "u", longest.as_str()] {
        assert_eq!(named(json!(sub)).as_deref(), Ok(sub));
    }
    let too_long = json!("a".repeat(129));
    for sub in [json!(null), json!(""), json!(7), json!(true), json!("a\0da"), too_long] {
        assert_eq!(named(sub.clone()), Err(Flaw::Subject), "{sub}");
    }
    assert!(named(json!(["ada"])).is_err());
}

#[test]
fn a_subject_is_never_a_local_user() {
    let id = format!("{LOCAL_PREFIX}{}", uuid::Uuid::now_v7());
    for sub in [id.as_str(), "u_", "u_1"] {
        assert_eq!(judged(&claims_with("sub", json!(sub))), Err(Flaw::Subject), "{sub}");
    }
}

#[test]
fn a_secret_is_taken_as_it_is_written_without_the_line_s_end() {
    let token = signed(&claims());
    for file in [SECRET.to_owned(), format!("{SECRET}\n"), format!("{SECRET}\r\n")] {
        assert!(assertions(&file).subject(&token, NOW).is_ok(), "{file:?}");
    }
}

#[test]
fn a_file_that_holds_no_key_is_refused_with_a_way_out() {
    let (private, ec) = pair(&PKCS_ECDSA_P256_SHA256);
    let (_, p384) = pair(&PKCS_ECDSA_P384_SHA384);
    let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let certificate = rcgen::generate_simple_self_signed(["idp.example".into()]).unwrap().cert;
    let cut = ec.replace("-----END PUBLIC KEY-----", "");
    let jwk = format!(r#"{{"kty":"oct","k":"{SECRET}"}}"#);
    for (what, file, hint) in [
        ("nothing", String::new(), "openssl rand -base64 48"),
        ("a newline", "\n".into(), "openssl rand -base64 48"),
        ("31 bytes", SECRET[1..].into(), "openssl rand -base64 48"),
        ("31 bytes and a newline", format!("{}\n", &SECRET[1..]), "openssl rand -base64 48"),
        ("two lines", format!("{SECRET}\n{SECRET}\n"), "openssl rand -base64 48"),
        ("a JWK", jwk, "openssl rand -base64 48"),
        ("an SSH key", format!("ssh-ed25519 {SECRET} ada@host"), "openssl rand -base64 48"),
        ("RSA in bare base64", body(RSA), "BEGIN PUBLIC KEY"),
        ("EC in bare base64", body(&ec), "BEGIN PUBLIC KEY"),
        ("a certificate in bare base64", STANDARD.encode(certificate.der()), "BEGIN PUBLIC KEY"),
        ("a private key", private.clone(), "openssl pkey"),
        ("a certificate", certificate.pem(), "openssl x509"),
        ("two keys", format!("{ec}{RSA}"), "one public key"),
        ("a pair", format!("{private}{ec}"), "one public key"),
        ("a key cut off", cut, "P-256"),
        ("a key of 1,024 bits", RSA_1024.into(), "2,048"),
        ("a key on P-384", p384, "P-256"),
    ] {
        let error = Assertions::new(file.as_bytes(), AUDIENCE, MAX_AGE).unwrap_err();
        assert!(error.contains(hint), "{what}: {error}");
        assert!(!error.contains(&SECRET[1..]), "{what}: {error}");
    }
    for binary in
        [&[0xff; 64][..], &STANDARD.decode(body(RSA)).unwrap(), &STANDARD.decode(body(&ec)).unwrap()]
    {
        assert!(Assertions::new(binary, AUDIENCE, MAX_AGE).is_err());
    }
}

#[test]
fn a_key_file_that_cannot_be_read_is_named() {
    let error = Assertions::open(Path::new("no/such/key"), AUDIENCE, MAX_AGE).unwrap_err();
    assert!(error.contains("--jwt-key") && error.contains("no/such/key"), "{error}");
}

#[test]
fn debug_output_holds_nothing_of_the_key() {
    let shown = format!("{:?}", assertions(SECRET));
    assert_eq!(shown, "Assertions { algorithm: HS256, .. }");
}
