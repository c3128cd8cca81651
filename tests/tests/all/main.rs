//! The black-box tests: facts about visitflow as seen from outside.

#![forbid(unsafe_code)]

mod accounts;
mod addresses;
mod architecture;
mod assertion;
mod client;
mod commands;
mod cookies;
mod dashboard;
mod encodings;
mod examples;
mod facts;
mod faults;
mod figures;
mod files;
mod guesses;
mod hangup;
mod heads;
mod input;
mod introspection;
mod journey;
mod lifecycle;
mod listeners;
mod logging;
mod login;
mod migrate;
mod nodes;
mod orders;
mod origins;
mod outages;
mod pages;
mod privacy;
mod reports;
mod requests;
mod robots;
mod rotation_outages;
mod rust_backend;
mod secrecy;
mod services;
mod signals;
mod spool;
mod stores;
mod tabs;
mod visits_by_address;
mod waits;
