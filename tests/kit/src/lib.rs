//! What tests and measurements are written with: the server's own (`server/tests`), the black-box tests
//! (`tests/tests/all`), and the measurements (`tests/src/bin`). It knows the server by its binary alone.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | a server of one's own: start, kill, restart, read its database and its log |
//! | [`setup`] | what a server is given before it starts |
//! | [`reading`] | what a server has stored, whichever database it has |
//! | [`visitor`] | somebody with a browser: cookies, page views, sign-ins |
//! | [`answer`] | what came back, and the assertions on it |
//! | [`wire`] | requests that no HTTP library would send |
//! | [`browser`] | a real browser: Chromium, Firefox, WebKit |
//! | [`secure`] | a server that speaks TLS, and HTTP/2 to it |
//! | [`site`] | a website of one's own: an example, by nginx or Node.js |
//! | [`neighbour`] | somebody well-behaved, while others are not |
//! | [`postgres`], [`sql`] | a PostgreSQL of one's own: kill, stop, restart, read |
//! | [`redis`], [`redis_cluster`] | a Redis of one's own, or a cluster of six |
//! | [`stand`] | a server on both, behind bad lines |
//! | [`load`] | many visitors at once, and whether nothing was lost |
//! | [`proxy`] | a bad line between the server and a store |
//! | [`fill`] | many page views in a SQLite file, without a server |
//! | [`disk`] | a disk that is soon full |
//! | [`process`] | processes, what they use, and their end |
//! | [`machine`] | directories, ports, the binary under test |
//! | [`random`] | pseudo-random bytes, the same in every run |
//! | `reaper` | the end of what all tests of a binary share |
//! | [`recorder`] | a witness between a browser and the server, with pages of its own |
//! | [`certificate`] | a certificate that nobody has signed |
//! | [`scene`] | a browser, a witness and a server; one test for each engine |
//! | [`patience`] | waiting for what comes when it likes |

#![forbid(unsafe_code)]

pub mod answer;
pub mod browser;
pub mod certificate;
pub mod disk;
pub mod fill;
pub mod load;
pub mod machine;
pub mod neighbour;
pub mod patience;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod random;
pub mod reading;
mod reaper;
pub mod recorder;
pub mod redis;
pub mod redis_cluster;
pub mod scene;
pub mod secure;
pub mod server;
pub mod setup;
pub mod site;
pub mod sql;
pub mod stand;
pub mod visitor;
pub mod wire;

pub use answer::{Answer, SetCookie};
pub use postgres::Postgres;
pub use redis::Redis;
pub use server::Server;
pub use setup::password_of;
pub use visitor::Visitor;

/// The form of an identifier that a client makes for a fact.
#[must_use]
pub fn fact_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
