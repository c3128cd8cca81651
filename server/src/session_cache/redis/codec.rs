//! A record as the fields of a hash.
//!
//! | field | holds |
//! |---|---|
//! | `secret` | the 32 bytes of the secret's hash |
//! | `generation`, `signed_in`, `created`, `activity`, `ended` | numbers, in decimal |
//! | `visit`, `user`, `device` | text |
//! | `remembered` | `1` |
//! | `retired` | 56 bytes each: when, in ms (big-endian), the hash, and the visit (zeros: none) |
//!
//! A record without a value has no such field. The scripts in `server/lua` use these names.

use redis::Value;
use uuid::Uuid;

use super::error::RedisError;
use crate::session::Millis;
use crate::session::record::{Record, Retired};
use crate::session::token::{SecretHash, Tag};

/// How the keys of records begin; the tag and `}` follow. The braces make Redis Cluster hash the tag.
pub(super) const PREFIX: &str = "visitflow:{";

/// How the keys of activity begin. Redis does not report their changes.
const ACTIVITY: &str = "visitflow:activity:{";

const RETIRED_BYTES: usize = 8 + 32 + 16;

/// The keys of a record and of its activity.
pub(super) fn keys(tag: Tag) -> [String; 2] {
    [PREFIX, ACTIVITY].map(|prefix| format!("{prefix}{tag}}}"))
}

/// The tag of the record in a key.
pub(super) fn tag(key: &[u8]) -> Option<Tag> {
    Tag::parse(std::str::from_utf8(key).ok()?.strip_prefix(PREFIX)?.strip_suffix('}')?)
}

/// The fields and values that put.lua writes unchanged. Generation and times are arguments of their own.
pub(super) fn encode(record: &Record) -> Vec<Vec<u8>> {
    let mut pairs = vec![b"secret".to_vec(), record.secret_hash.as_bytes().to_vec()];
    let mut add = |field: &str, value: Option<Vec<u8>>| {
        if let Some(value) = value {
            pairs.extend([field.into(), value]);
        }
    };
    add("visit", record.visit_id.map(|visit| visit.to_string().into()));
    add("user", record.user_id.clone().map(String::into_bytes));
    add("signed_in", record.signed_in_at.map(|at| at.to_string().into()));
    add("ended", record.ended_at.map(|at| at.to_string().into()));
    add("retired", (!record.retired.is_empty()).then(|| pack(&record.retired)));
    add("remembered", record.remembered.then(|| b"1".to_vec()));
    add("device", record.device.clone().map(String::into_bytes));
    pairs
}

/// The record in the eleven fields that resolve.lua returns.
///
/// # Errors
/// When a field has a value that [`encode`] never writes.
pub(super) fn decode(tag: Tag, value: Value) -> Result<Option<Record>, RedisError> {
    let fields = match value {
        Value::Nil => return Ok(None),
        Value::Array(fields) => fields,
        _ => return Err(RedisError::Malformed("record")),
    };
    let [secret, generation, visit, user, signed_in, created, activity, ended, retired, remembered, device] =
        fields.as_slice()
    else {
        return Err(RedisError::Malformed("record"));
    };
    let created_at = number(created)?.ok_or(RedisError::Malformed("time"))?;
    Ok(Some(Record {
        tag,
        secret_hash: bytes(secret)?.and_then(hash).ok_or(RedisError::Malformed("secret's hash"))?,
        generation: text(generation)?
            .and_then(|text| text.parse().ok())
            .ok_or(RedisError::Malformed("generation"))?,
        visit_id: text(visit)?
            .map(|text| Uuid::parse_str(text).map_err(|_| RedisError::Malformed("visit")))
            .transpose()?,
        user_id: text(user)?.map(str::to_owned),
        signed_in_at: number(signed_in)?,
        created_at,
        last_activity: number(activity)?.ok_or(RedisError::Malformed("time"))?,
        ended_at: number(ended)?,
        remembered: bytes(remembered)?.is_some(),
        device: text(device)?.map(str::to_owned),
        retired: unpack(bytes(retired)?.unwrap_or_default())?,
    }))
}

fn pack(retired: &[Retired]) -> Vec<u8> {
    let packed = retired.iter().flat_map(|old| {
        let visit = old.visit_id.unwrap_or_default();
        [&old.at.to_be_bytes()[..], old.secret_hash.as_bytes(), visit.as_bytes()].concat()
    });
    packed.collect()
}

fn unpack(packed: &[u8]) -> Result<Vec<Retired>, RedisError> {
    let (old, rest) = packed.as_chunks::<RETIRED_BYTES>();
    if !rest.is_empty() {
        return Err(RedisError::Malformed("retired secret"));
    }
    old.iter()
        .map(|old| {
            let (at, rest) = old.split_first_chunk::<8>()?;
            let (secret, visit) = rest.split_first_chunk::<32>()?;
            let visit = Uuid::from_slice(visit).ok()?;
            Some(Retired {
                at: Millis::from_be_bytes(*at),
                secret_hash: SecretHash::from_bytes(*secret),
                visit_id: (!visit.is_nil()).then_some(visit),
            })
        })
        .collect::<Option<_>>()
        .ok_or(RedisError::Malformed("retired secret"))
}

fn hash(bytes: &[u8]) -> Option<SecretHash> {
    Some(SecretHash::from_bytes(bytes.try_into().ok()?))
}

fn bytes(value: &Value) -> Result<Option<&[u8]>, RedisError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Err(RedisError::Malformed("field")),
    }
}

fn text(value: &Value) -> Result<Option<&str>, RedisError> {
    bytes(value)?
        .map(|bytes| std::str::from_utf8(bytes).map_err(|_| RedisError::Malformed("text")))
        .transpose()
}

fn number(value: &Value) -> Result<Option<Millis>, RedisError> {
    text(value)?.map(|text| text.parse().map_err(|_| RedisError::Malformed("time"))).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// What the scripts do with the fields, without Redis.
    fn stored(record: &Record) -> Value {
        let encoded = encode(record);
        let mut fields: HashMap<&[u8], Vec<u8>> =
            encoded.as_chunks::<2>().0.iter().map(|[field, value]| (&field[..], value.clone())).collect();
        fields.insert(b"generation", record.generation.to_string().into());
        fields.insert(b"created", record.created_at.to_string().into());
        fields.insert(b"activity", record.last_activity.to_string().into());
        let names = [
            "secret",
            "generation",
            "visit",
            "user",
            "signed_in",
            "created",
            "activity",
            "ended",
            "retired",
            "remembered",
            "device",
        ];
        let field = |name: &str| fields.remove(name.as_bytes()).map_or(Value::Nil, Value::BulkString);
        Value::Array(names.map(field).into())
    }

    prop_compose! {
        fn any_record()(
            tag in "[A-Za-z0-9_-]{21}[AQgw]",
            secret in any::<[u8; 32]>(),
            generation in any::<u64>(),
            visit in any::<Option<u128>>(),
            user_id in any::<Option<String>>(),
            signed_in_at in any::<Option<i64>>(),
            times in any::<[i64; 2]>(),
            ended_at in any::<Option<i64>>(),
            remembered in any::<bool>(),
            device in any::<Option<String>>(),
            retired in prop::collection::vec((any::<[u8; 32]>(), any::<i64>(), any::<Option<u128>>()), 0..9),
        ) -> Record {
            let old = |(secret, at, visit): (_, _, Option<u128>)| Retired {
                secret_hash: SecretHash::from_bytes(secret),
                at,
                visit_id: visit.map(Uuid::from_u128).filter(|visit| !visit.is_nil()),
            };
            Record {
                tag: Tag::parse(&tag).unwrap(),
                secret_hash: SecretHash::from_bytes(secret),
                generation,
                visit_id: visit.map(Uuid::from_u128),
                user_id,
                signed_in_at,
                created_at: times[0],
                last_activity: times[1],
                ended_at,
                remembered,
                device,
                retired: retired.into_iter().map(old).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn every_record_survives_the_trip(record in any_record()) {
            prop_assert_eq!(decode(record.tag, stored(&record)).unwrap(), Some(record.clone()));
            let told = keys(record.tag).map(|key| tag(key.as_bytes()));
            prop_assert_eq!(told, [Some(record.tag), None]);
        }
    }

    #[test]
    fn what_was_never_written_is_an_error_and_no_panic() {
        let tag = Tag::parse(&"A".repeat(22)).unwrap();
        let nonsense = || Value::BulkString(b"nonsense".to_vec());
        for value in [Value::Okay, Value::Array(vec![]), Value::Array(vec![nonsense(); 11])] {
            assert!(matches!(decode(tag, value), Err(RedisError::Malformed(_))));
        }
        assert_eq!(decode(tag, Value::Nil), Ok(None));
        assert!(unpack(&[0; 41]).is_err());
    }
}
