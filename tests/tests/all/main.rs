//! The black-box tests: facts about visitflow as seen from outside.

#![forbid(unsafe_code)]

mod architecture;
mod assertion;
mod commands;
mod cookies;
mod facts;
mod faults;
mod files;
mod input;
mod journey;
mod lifecycle;
mod listeners;
mod login;
mod migrate;
mod origins;
mod reports;
mod requests;
mod secrecy;
mod services;
