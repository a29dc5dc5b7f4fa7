//! The suite that every implementation of the Store port passes: behaviour, not tables.
//!
//! [`cases`] lists named cases. Each wants an empty store of its own:
//!
//! ```no_run
//! use std::sync::Arc;
//! use onepath_server::store::{MemoryStore, conformance};
//!
//! # async fn run() {
//! for case in conformance::cases() {
//!     println!("{}", case.name);
//!     (case.run)(Arc::new(MemoryStore::new())).await;
//! }
//! # }
//! ```
//!
//! A case that finds a fault panics with what it found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a failing case is supposed to stop"
)]

mod assets;
mod cache;
mod cancel;
mod claim;
mod concurrent;
mod create;
pub(super) mod endpoints;
mod fixture;
mod life;
mod owner;
mod predictions;
mod prompts;
mod read;
mod reroute;
mod slots;
mod telemetry;
mod webhooks;

use std::pin::Pin;
use std::sync::Arc;

use super::Store;

pub use fixture::{NOON, blob, complete_all, done, media, reader, viewer, wanted};

/// A case on its way.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One named case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What must hold.
    pub name: &'static str,
    /// Tries it on an empty store.
    pub run: fn(Arc<dyn Store>) -> Running,
}

macro_rules! cases {
    ($($module:ident { $($name:ident)* })*) => {
        vec![$($(Case {
            name: stringify!($name),
            run: |store| Box::pin(async move { $module::$name(&*store).await }),
        },)*)*]
    };
}

/// Every case.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = cases! {
        predictions {
            a_prediction_belongs_to_one_attempt
        }
        reroute {
            the_next_is_asked_when_one_is_down
            what_another_made_is_no_answer_to_what_was_asked
            a_submission_that_may_have_arrived_is_never_passed_on
            a_prediction_that_came_to_nothing_is_passed_on
            accounts_that_rest_pass_a_row_on
            a_slot_that_is_taken_is_waited_for
            a_row_waits_for_the_accounts_of_who_makes_it
        }
        create {
            a_create_makes_a_pending_row
            rows_are_numbered_within_their_tenant
            a_slot_answers_by_joining_and_then_from_what_is_kept
            a_joiner_pulls_schedule_and_priority_forward_only
            nobody_joins_what_they_may_not_read
            the_owner_is_answered_by_hash
            always_never_answers_and_is_never_answered
            force_new_takes_the_slot_when_it_completes
            what_expires_gives_up_its_slot
            what_ended_otherwise_neither_answers_nor_blocks
            what_nobody_wants_any_more_is_not_joined
            a_preview_says_what_a_create_does_and_does_nothing
            tenants_never_meet
        }
        claim {
            claims_go_by_priority_then_time
            nothing_is_claimed_before_its_time
            a_lease_keeps_others_out_until_it_runs_out
            an_old_fence_changes_nothing
            a_heartbeat_holds_a_row_longer
            a_row_that_is_given_back_waits_until_it_is_due
            a_failed_attempt_waits_longer_each_time
            what_a_lost_lease_left_is_asked_for_first
            a_deadline_ends_what_waits_and_asks_for_what_was_sent
        }
        life {
            a_run_goes_through_every_stage
            attempts_and_events_have_no_gaps
            what_is_over_stays_as_it_is
            what_comes_from_outside_needs_no_fence
            a_fallback_stands_in_and_is_no_answer
            an_explicit_retry_is_a_new_run
            what_was_asked_never_changes
        }
        cancel {
            the_last_interest_ends_a_waiting_row
            others_go_on_and_ownership_moves_to_the_oldest
            a_running_row_is_cancelled_at_its_provider
            what_was_made_wins_over_a_cancel
            who_has_no_interest_cancels_nothing
        }
        assets {
            the_same_bytes_are_one_blob_and_an_owner_has_them_once
            a_blob_that_is_gone_is_not_counted_on
            a_plan_limits_the_bytes_that_are_kept
            a_list_of_assets_is_filtered_and_read_in_pages
            only_what_is_public_is_everybodys
            what_is_fetched_is_seen_on_its_way
            what_was_left_is_replaced_by_what_is_made_anew
            a_later_try_brings_what_a_run_could_not
            lineage_goes_both_ways_as_far_as_one_may_see
            bytes_go_when_nothing_needs_them
            a_small_picture_is_kept_beside
            a_copy_at_a_provider_is_remembered_while_it_lives
        }
        owner {
            every_step_is_told_to_the_log
            a_patch_changes_what_it_names
            what_is_deleted_is_there_for_nobody
            a_retry_is_its_owners
        }
        read {
            a_list_is_the_readers_own_newest_first
            a_list_is_read_in_pages
            a_list_is_filtered
            a_list_is_counted_on_request
            assets_are_read_by_whoever_may_read_the_row
            what_is_shared_is_read_within_ones_bounds
            a_key_is_found_by_its_hash
            an_empty_store_answers
        }
        cache {
            what_is_invalidated_is_no_answer_any_more
            answers_are_counted_by_the_minute
        }
        telemetry {
            every_run_that_ended_is_counted_once
        }
        prompts {
            versions_are_numbered_and_the_same_content_is_one_version
            prompts_are_read_as_latest_or_pinned_and_never_across_tenants
            runs_are_counted_for_the_version_they_name
            terms_are_the_tenants_own
        }
        slots {
            no_more_run_than_there_are_slots
            a_lease_that_ran_out_gives_its_slot_back
            what_was_sent_keeps_its_slot_when_its_worker_dies
            whoever_ends_leases_gives_slots_back
            a_cancel_gives_the_slot_back
            accounts_are_chosen_by_priority_then_the_longest_unused
            private_accounts_work_for_their_tenant
            an_account_rests_after_failures_and_a_probe_heals_it
            too_many_at_the_provider_rests_the_account_and_another_goes_on
            what_has_no_credits_left_waits
            a_day_has_only_so_many_submissions
            what_waits_for_an_account_fails_after_a_day
            whoever_waited_long_has_all_the_time_of_a_run
            an_account_is_kept_and_changed_and_removed
            a_provider_without_accounts_is_asked_without_one
        }
        endpoints {
            messages_are_leased_by_one_and_fair_to_all
        }
        webhooks {
            a_webhook_makes_its_row_due_once
            what_is_told_while_a_row_is_held_is_looked_at_when_it_is_given_back
            a_door_leads_to_its_attempt_while_that_is_on_its_way
            a_webhook_tells_the_prediction_of_a_lost_submission
            webhooks_of_what_is_over_change_nothing
            what_is_on_its_way_is_not_forgotten
        }
    };
    cases.extend(concurrent::CASES);
    cases.extend(slots::CASES);
    cases
}
