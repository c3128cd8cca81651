use visitflow_server::contract::accounts::{Account, ApiKey, KeyRow, Role, Scope};
use visitflow_server::database::error::StoreError;
use visitflow_server::session::record::END_COUNTS;

use crate::rows::{Both, Cell};

const NOW: i64 = 1_790_000_000_000;

#[tokio::test]
async fn users_and_keys_are_kept_alike() {
    let both = Both::new().await;
    for accounts in &both.accounts {
        assert_eq!(accounts.account("änn").await.unwrap(), None);
        assert!(accounts.put_user("u_1", "änn", "hash", Role::User, NOW).await.unwrap());
        assert!(!accounts.put_user("u_2", "änn", "hash 2", Role::Admin, NOW).await.unwrap());
        let ann =
            Account {
                id: "u_1".into(), name: "änn".into(), password_hash: "hash 2".into(), disabled: false
            };
        assert_eq!(accounts.account("änn").await.unwrap(), Some(ann));
        assert_eq!(accounts.role("u_1").await.unwrap(), Some(Role::Admin));
        assert_eq!(accounts.role("u_2").await.unwrap(), None);
        assert!(accounts.disable_user("änn", NOW).await.unwrap());
        assert!(!accounts.disable_user("bob", NOW).await.unwrap());
        assert!(accounts.account("änn").await.unwrap().unwrap().disabled);
        assert_eq!(accounts.role("u_1").await.unwrap(), None);

        let key = ApiKey {
            secret_hash: [7; 32],
            scopes: vec![Scope::Read, Scope::Session],
            site: Some("shop.example".into()),
            expires_at: Some(NOW),
        };
        accounts.put_key("k1", "shop", &key, NOW).await.unwrap();
        assert_eq!(accounts.key("k1").await.unwrap(), Some(key.clone()));
        assert_eq!(accounts.key("k2").await.unwrap(), None);
        let taken = accounts.put_key("k2", "shop", &key, NOW).await.unwrap_err();
        assert!(matches!(taken, StoreError::Taken(_)), "{taken}");
        let row = KeyRow { id: "k1".into(), name: "shop".into(), created_at: NOW, key };
        assert_eq!(accounts.keys().await.unwrap(), [row]);
        assert!(accounts.delete_key("shop").await.unwrap());
        assert!(!accounts.delete_key("shop").await.unwrap());
        assert_eq!(accounts.key("k1").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_new_password_and_disabling_end_the_user_s_sessions_and_say_when() {
    let both = Both::new().await;
    for accounts in &both.accounts {
        accounts.put_user("u_1", "ann", "hash", Role::User, NOW).await.unwrap();
    }
    let columns = "tag, secret_hash, generation, user_id, created_at, last_activity, ended_at, changed_at";
    for (tag, user, ended) in [("a", "u_1", Cell::Null), ("b", "u_1", Cell::Int(5)), ("c", "u_2", Cell::Null)]
    {
        let cells = [
            Cell::Text(tag),
            Cell::Text("hash"),
            Cell::Int(3),
            Cell::Text(user),
            Cell::Int(1),
            Cell::Int(1),
            ended,
            Cell::Int(1),
        ];
        both.insert("session_tokens", columns, &cells).await;
    }
    for accounts in &both.accounts {
        accounts.put_user("u_1", "ann", "other hash", Role::User, NOW).await.unwrap();
        accounts.disable_user("ann", NOW + 1).await.unwrap();
    }
    let sql = "SELECT generation, ended_at, changed_at FROM session_tokens ORDER BY tag";
    let expected = [(3 + END_COUNTS.cast_signed(), Some(NOW), NOW), (3, Some(5), 1), (3, None, 1)];
    let found: Vec<(i64, Option<i64>, i64)> = both
        .postgres
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert_eq!(found, expected);
    let mut statement = both.file.prepare(sql).unwrap();
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(found.map(Result::unwrap).collect::<Vec<(i64, Option<i64>, i64)>>(), expected);
}

#[tokio::test]
async fn disabling_waits_for_the_writer_s_batch() {
    let mut both = Both::new().await;
    let accounts = both.accounts[1].clone();
    accounts.put_user("u_1", "ann", "hash", Role::User, NOW).await.unwrap();
    let batch = both.postgres.transaction().await.unwrap();
    batch.batch_execute(include_str!("../../sql/postgres/lock.sql")).await.unwrap();
    let disabling = tokio::spawn(async move { accounts.disable_user("ann", NOW).await });
    loop {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        if batch.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(!disabling.is_finished());
    batch.commit().await.unwrap();
    assert!(disabling.await.unwrap().unwrap());
}
