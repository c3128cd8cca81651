//! The examples, installed from the packed package and built, before a real server; those that measure
//! visits in a real browser.

mod astro;
mod axum;
mod bundlers;
mod express;
mod next_session;
mod next_ssr;
mod nginx_auth_request;
mod nuxt;
mod protected;
mod react;
mod reverse_proxy;
mod script_tag;
mod stage;
mod svelte;
mod vite;
mod vue;
