//! Prisma 6.19 on PostgreSQL: the numbered sections.

use crate::scenario::World;

crate::tales! {
    World::Six;
    applying: a_missing_database_is_created_by_deploy_alone, a_fresh_database_gets_every_migration,
        a_database_that_is_up_to_date_is_left_alone, an_edited_migration_is_not_applied_again,
        a_database_that_is_ahead_is_up_to_date, diverged_histories_are_told_and_deployed,
        names_are_ordered_as_javascript_compares_them, scripts_without_statements_are_migrations,
        other_line_ends_are_no_change;
    resolving: a_failed_migration_leaves_nothing_and_is_tried_again, a_failed_row_of_prisma_blocks_every_deploy,
        resolve_refuses_what_cannot_be, a_failed_row_can_be_rolled_back_and_corrected,
        a_failed_row_can_be_recorded_as_applied, a_failure_of_ours_can_be_recorded_as_applied,
        a_database_that_is_not_empty_is_baselined;
    wrong: a_project_without_migrations_has_nothing_to_apply,
        a_migration_without_a_script_is_an_error_when_it_is_pending,
        every_pending_script_is_looked_at_before_one_is_run, the_lock_file_has_to_name_the_provider,
        the_url_has_to_be_there_and_of_the_right_kind, arguments_that_make_no_sense_change_nothing;
    postgres_only: an_unreachable_database_is_named, wrong_credentials_are_refused_at_once,
        a_schema_of_the_url_is_created_by_deploy_alone,
        an_index_is_built_concurrently_alone_or_beside_others,
        a_lock_held_by_somebody_else_is_waited_for, rights_that_are_missing_are_named;
}
