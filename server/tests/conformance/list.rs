//! The cases, and the backends on which each holds.
//!
//! Invariant: in the end the same is stored everywhere. Only the answers while the database is away differ: the cases in
//! `told` and `kept` cannot be answered then, those in `away` and `forgotten` are the answers instead.

/// One test per case, on one backend.
macro_rules! tests {
    ($backend:expr; $($file:ident: $($case:ident)+;)+) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::cases::$file::$case(&$crate::world::World::new($backend).await).await;
        }
    )+)+};
}

/// What holds everywhere.
macro_rules! everywhere {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            replays:
                a_duplicate_is_stored_once_and_starts_nothing
                a_view_that_is_resent_within_its_session_is_one_view
                duplicates_within_an_array_are_stored_once
                duplicates_of_requests_at_once_are_stored_once
                the_same_id_on_another_site_is_another_fact
                a_replayed_start_is_one_session
                a_replayed_sign_in_changes_nothing
                a_replayed_first_sign_in_is_one_session
                a_replayed_sign_out_changes_nothing
                a_replayed_end_changes_nothing
                facts_of_an_unknown_session_and_of_no_visitor_begin_no_visit;
            limits:
                a_session_lives_until_the_idle_limit
                a_session_is_over_at_the_idle_limit
                activity_moves_the_idle_limit
                pings_do_not_move_the_absolute_limit
                a_ping_starts_nothing
                a_browser_that_lost_its_cookie_joins_its_live_visit
                expired_sessions_and_visits_are_ended_where_their_activity_ended
                a_sweep_ends_nothing_that_may_live
                a_flood_of_starts_leaves_bounded_memory;
            remember:
                who_is_remembered_comes_back_days_later_as_the_same_user
                who_is_remembered_is_so_until_the_long_limits
                a_sign_out_and_a_sign_in_without_remember_restore_the_short_limits
                a_sweep_ends_who_is_remembered_at_the_long_limit;
            races:
                twenty_starts_of_one_visitor_at_once_are_one_visit
                a_hundred_sign_ins_on_one_token_have_one_winner
                a_view_in_flight_over_a_sign_in_is_stored_and_sets_no_cookie
                a_sign_in_among_views_leaves_one_visit_and_one_live_token
                views_that_carry_the_secret_before_a_sign_in_are_of_its_visit
                a_fact_in_flight_of_a_session_without_a_visit_has_none
                a_rotated_token_has_a_minute_of_grace
                an_end_among_views_and_pings_revives_nothing
                a_fact_in_flight_at_an_end_is_stored_and_sets_no_cookie
                an_end_then_a_start_is_a_new_visit
                a_start_in_flight_at_an_end_begins_nothing
                first_views_at_once_of_a_session_without_a_visit_share_one
                a_sign_out_among_sign_ins_leaves_one_live_token;
            users:
                a_sign_in_gives_earlier_anonymous_visits_their_user
                a_sign_in_leaves_visits_of_others_alone
                another_user_begins_another_visit
                a_sign_out_keeps_the_visit
                a_sign_in_without_visit_leaves_the_visit_anonymous
                a_session_that_was_signed_in_elsewhere_joins_and_names_the_visit
                disabling_a_user_ends_all_sessions_of_that_user
                removing_a_user_ends_all_sessions_of_that_user
                a_user_who_is_enabled_is_as_before
                changing_a_password_ends_all_sessions_of_that_user;
            forgetting:
                who_withdraws_consent_stays_signed_in_and_the_visit_ends
                a_session_without_a_user_ends_when_consent_is_withdrawn
                there_is_nothing_to_forget_without_a_live_session
                a_fact_in_flight_at_a_withdrawal_reaches_the_ended_visit_and_begins_nothing
                consent_given_anew_begins_another_visit_in_the_same_session
                a_start_after_a_withdrawal_begins_another_visit
                a_sign_in_and_a_sign_out_after_a_withdrawal_begin_no_visit
                a_visit_goes_on_with_its_other_sessions
                withdrawals_at_once_have_one_winner
                a_withdrawal_in_flight_over_a_sign_in_ends_the_visit_and_nobodys_session
                a_withdrawal_among_views_and_a_sign_in_leaves_one_ended_visit
                a_withdrawal_among_views_and_a_sign_out_leaves_one_ended_visit
                requests_judged_before_a_withdrawal_begin_no_visit_after_it
                a_replayed_withdrawal_changes_nothing;
            late:
                a_late_view_belongs_to_the_visit_that_covers_it
                a_late_view_that_no_visit_covers_makes_a_closed_one
                an_array_of_late_views_makes_one_closed_visit
                a_late_view_extends_neither_session_nor_visit
                a_late_view_lengthens_no_visit_that_was_ended_on_request
                late_and_recent_facts_of_one_array_go_their_own_ways
                late_views_of_many_sites_and_times_find_their_own_visits
                late_views_that_make_visits_are_joined_by_later_ones;
            orders:
                an_order_starts_no_visit_and_counts_once
                the_shops_own_word_replaces_the_browsers_and_not_the_other_way
                within_one_array_the_shops_own_word_wins_in_either_order
                amounts_are_exact
                an_order_belongs_to_the_visit_of_its_session_and_extends_nothing
                an_order_of_the_shop_finds_its_visit_by_session_or_user;
            disputes:
                another_claim_with_other_words_disputes_the_first
                the_same_words_again_dispute_nothing
                within_one_array_the_first_is_disputed
                the_shops_own_word_ends_a_dispute_for_good
                a_dispute_that_is_replayed_is_the_same_dispute;
            refunds:
                a_refund_leaves_its_order_as_it_is_and_has_its_visit
                a_refund_may_come_before_its_order
                a_refund_counts_once_and_an_order_has_as_many_as_it_needs
                a_refund_has_the_visitor_and_user_that_the_shop_names_until_its_order_is_stored;
            sites:
                the_first_fact_sets_the_site_that_the_start_only_guessed
                a_request_that_names_no_site_joins_the_live_visit_whatever_its_site
                a_visit_that_was_only_started_takes_the_site_of_its_first_fact_from_any_tab
                another_site_is_another_visit
                a_visit_with_a_fact_keeps_its_site
                an_anonymous_view_has_no_visit;
            values:
                texts_come_back_as_they_were
                an_address_of_8_kib_is_stored_whole
                engagement_keeps_the_most_up_to_the_greatest_number
                ids_of_wrong_clocks_are_stored_once
                what_a_page_says_of_itself_is_stored_whole
                a_visit_keeps_the_campaign_of_its_entry;
            refusals:
                a_refused_fact_is_set_aside_and_its_neighbours_are_stored
                a_refused_fact_leaves_neither_visit_nor_session
                a_refused_array_is_set_aside_whole;
            erasure:
                an_erased_visitor_leaves_no_row_and_others_keep_theirs
                late_facts_of_an_erased_visitor_are_refused
                after_eight_days_an_erased_visitor_may_begin_anew
                a_browser_erases_its_own_visitor_alone
                a_browser_without_the_visitors_key_erases_nothing
                the_key_alone_is_enough_to_erase
                a_session_that_is_of_no_visit_of_the_visitor_goes_on_after_the_erasure
                a_session_without_a_visit_erases_nobody
                erasing_again_or_an_unknown_visitor_changes_nothing
                a_fact_of_an_erased_visitor_is_refused_in_another_visitors_session
                a_nameless_fact_of_an_erased_visit_is_refused
                a_fact_with_only_the_cookie_of_an_erased_session_is_refused
                a_fact_far_from_its_visit_is_erased_too
                a_restart_forgets_no_erasure;
            keys:
                facts_that_begin_no_live_visit_set_no_key
                a_visitor_that_has_something_stored_and_no_key_is_given_none
                an_erased_visitor_has_no_key_and_is_given_none;
            disclosure:
                all_that_is_stored_of_a_visitor_is_told_and_nothing_of_others
                every_column_of_what_is_told_is_told_but_for_hashes
                what_is_told_is_the_same_in_every_database
                an_order_of_no_visit_is_told_too
                a_visitor_with_very_much_is_told_page_by_page
                disclosure_of_an_erased_visitor_is_empty;
            many:
                a_sign_in_gives_each_of_many_earlier_visits_its_user
                a_visitor_with_many_visits_leaves_no_row
                a_visit_with_many_facts_leaves_no_row
                a_browser_that_did_not_hear_of_its_erasure_may_ask_again_and_erases_nobody_else;
        }
    };
}

/// Answers that need the database, and so are not given while it is away.
macro_rules! told {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            replays:
                // What is a duplicate is found at the replay: `away::a_spooled_duplicate_is_not_reported_as_one`.
                duplicates_are_counted
                // A provisional session is withdrawn instead: `away::a_provisional_session_of_a_duplicate_is_withdrawn`.
                a_duplicate_sets_no_cookie
                // What was applied is found at the replay: `away::a_replayed_sign_in_has_lost`.
                a_replay_is_answered_as_the_first_time;
            limits:
                // Pings of a session whose visit is not known yet move no visit.
                a_view_after_the_absolute_limit_goes_on_with_its_visit_in_a_new_session
                // Nobody knows yet: `away::as_many_visits_are_told_as_may_turn_out_to_begin`.
                visits_that_begin_are_told;
            identity:
                a_live_token_is_identified_with_its_user
                a_rotated_or_ended_token_identifies_nobody
                a_backend_that_asks_keeps_a_user_signed_in_and_no_visit_alive
                asking_without_touch_keeps_nobody_signed_in
                asking_keeps_no_anonymous_session_alive
                asking_moves_no_absolute_limit
                the_cookie_of_a_user_is_given_anew_once_a_minute;
            forgetting:
                a_view_judged_before_a_withdrawal_reaches_its_visit_however_long_that_was_idle
                who_is_not_measured_stays_signed_in_up_to_the_absolute_limit;
            remember:
                idle_copies_of_remembered_sessions_are_dropped_unless_embedded;
            owners:
                a_user_has_the_sessions_that_are_live
                the_sessions_that_are_told_are_bounded
                the_device_of_a_sign_in_is_kept_until_the_sign_out
                a_session_is_ended_by_its_tag
                all_sessions_but_one_are_ended
                a_visit_ends_with_the_last_of_its_sessions
                a_key_for_one_site_sees_and_ends_only_sessions_of_that_site
                a_session_that_was_rotated_meanwhile_ends_no_other
                a_user_with_many_sessions_keeps_one_of_them
                a_sign_in_and_the_end_of_all_sessions_at_once_leave_none_or_that_one;
            keys:
                the_first_request_of_a_visitor_is_given_a_key_of_which_the_hash_is_stored
                who_knows_a_visitor_is_given_no_key_of_it
                a_start_sets_the_right_key_again_and_no_wrong_one
                a_browser_with_the_key_of_another_visitor_is_given_a_fresh_one
                first_requests_of_a_visitor_at_once_are_given_one_key
                a_session_that_signed_in_first_is_given_the_key_with_its_visit;
            users:
                what_a_sign_in_did_not_finish_is_finished_when_its_user_comes_back
                // The hash is compared in the database: `away::a_sign_in_by_password_is_refused`.
                a_sign_in_whose_password_was_changed_meanwhile_is_stale
                who_changes_the_password_is_the_only_one_left
                a_password_is_changed_by_the_present_one_and_a_live_session_of_its_user;
            erasure:
                // What is refused is found at the replay: `late_facts_of_an_erased_visitor_are_refused`.
                facts_refused_after_an_erasure_are_counted;
            provisional:
                a_change_that_depends_on_one_not_stored_yet_waits
                a_change_that_depends_on_one_never_stored_ends_the_session
                a_provisional_change_is_lost_if_another_request_came_first
                a_provisional_change_of_a_session_that_has_ended_revives_it_nowhere
                an_end_of_a_provisional_session_ends_what_is_stored_meanwhile
                changes_that_are_applied_twice_change_nothing_more
                a_session_that_was_kept_when_all_others_ended_may_have_another_visit;
            many:
                // A server that is killed between two pieces, with the database at hand.
                a_batch_gives_a_bounded_number_of_visits_their_user
                a_sign_in_that_was_cut_off_is_finished_by_the_next
                a_sign_in_that_is_applied_again_goes_on_where_it_was_cut_off
                another_user_takes_nothing_of_a_sign_in_that_goes_on
                others_are_served_between_the_pieces_of_a_sign_in_and_of_an_erasure
                each_piece_of_an_erasure_is_bounded
                an_erasure_that_was_cut_off_takes_nothing_new_and_is_finished_by_the_next;
        }
    };
}

/// What a restart keeps, if a store that has the session can be reached. If none can:
/// `away::after_a_restart_no_store_tells_of_a_session`.
macro_rules! kept {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            remember:
                who_is_remembered_is_so_after_a_restart;
            limits:
                sessions_survive_a_restart_with_their_latest_activity
                a_token_rotated_before_a_restart_stays_dead_and_keeps_its_grace;
            forgetting:
                a_fact_in_flight_at_a_withdrawal_finds_its_visit_after_a_restart;
        }
    };
}

/// The answers after a restart, if no store that has the session can be reached.
macro_rules! forgotten {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            away:
                after_a_restart_no_store_tells_of_a_session;
        }
    };
}

/// What two servers on the same database and Redis guarantee together.
macro_rules! servers {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            servers:
                a_session_of_one_server_lives_on_the_other
                a_token_of_one_server_is_live_on_the_other_at_once
                activity_on_one_server_keeps_a_session_on_the_other
                a_sign_in_on_one_server_kills_the_old_token_on_the_other
                an_end_on_one_server_is_an_end_on_the_other
                a_session_that_ended_on_one_server_has_no_user_on_the_other
                a_change_whose_commit_came_late_is_noticed_by_the_other_server
                starts_on_two_servers_at_once_join_one_visit
                sign_ins_on_two_servers_have_one_winner
                duplicates_on_two_servers_are_stored_once
                a_sweep_on_one_server_spares_sessions_active_on_the_other;
            forgetting:
                a_withdrawal_on_one_server_is_one_on_the_other;
            owners:
                the_sessions_of_a_user_end_on_every_server;
            keys:
                first_requests_on_two_servers_at_once_are_given_one_key;
            erasure:
                an_erasure_on_one_server_is_one_on_the_other;
        }
    };
}

/// The answers while the database is away.
macro_rules! away {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            away:
                a_start_is_provisional
                as_many_visits_are_told_as_may_turn_out_to_begin
                a_spooled_duplicate_is_not_reported_as_one
                a_provisional_session_of_a_duplicate_is_withdrawn
                a_server_started_later_also_withdraws_a_duplicate_s_provisional_session
                a_replayed_sign_in_has_lost
                a_sign_in_by_password_is_refused
                a_replay_undoes_no_later_provisional_change
                a_rotation_that_came_too_late_leaves_the_session_to_the_winner
                an_end_that_came_too_late_leaves_the_session_to_the_winner
                what_was_acknowledged_survives_a_restart;
            forgetting:
                a_withdrawal_that_came_too_late_leaves_the_session_to_the_winner;
            users:
                a_change_of_password_is_refused;
            owners:
                the_sessions_of_a_user_are_neither_told_nor_ended;
            keys:
                a_visitor_that_came_first_while_the_database_was_away_is_given_no_key;
            erasure:
                an_erasure_without_the_database_is_refused_and_does_nothing
                what_waits_in_a_spool_does_not_come_back_after_an_erasure_elsewhere;
        }
    };
}

/// What two servers guarantee together, of which one reaches only Redis.
macro_rules! provisional {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            away:
                an_end_is_later_than_all_provisional_changes
                what_is_provisional_on_another_server_is_ended_or_refused
                a_provisional_sign_in_ends_with_all_sessions_of_its_user
                a_provisional_change_that_is_not_confirmed_is_forgotten_everywhere
                a_session_that_was_found_idle_elsewhere_has_ended_everywhere
                provisional_changes_of_two_servers_are_confirmed_if_the_earlier_is_back_first
                provisional_changes_of_two_servers_are_confirmed_if_the_later_is_back_first;
        }
    };
}

/// What Postgres takes too long for.
macro_rules! too_slow {
    ($then:ident! $backend:expr) => {
        $then! { $backend;
            slow:
                a_fact_that_is_too_slow_is_set_aside_and_holds_up_nobody
                a_server_that_starts_with_a_fact_that_is_too_slow_sets_it_aside;
        }
    };
}

macro_rules! on {
    ($module:ident, $backend:ident: $($cases:ident)+) => {
        mod $module {
            $($cases! { tests! $crate::backend::Backend::$backend })+
        }
    };
}

on!(embedded, Embedded: everywhere told kept);
on!(sqlite_redis, SqliteRedis: everywhere told kept);
on!(postgres, Postgres: everywhere told kept servers);
on!(postgres_impatient, PostgresImpatient: too_slow);
on!(postgres_redis, PostgresRedis: everywhere told kept servers);
on!(postgres_cluster, PostgresCluster: everywhere told kept servers);
on!(redis_away, RedisAway: everywhere told kept servers);
on!(postgres_away, PostgresAway: everywhere kept away provisional);
on!(both_away, BothAway: everywhere away forgotten);
