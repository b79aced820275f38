/** What stands in the configuration files of a home (turtle and disagg metadata §5; `wiredtiger_open` of the public manual). */

/** Release up to which `baseConfigKeys` is the whole list: an engine refuses a key it does not know. */
export const BASE_CONFIG_KEYS_UNTIL = 12;

/** Keys on the first level of WiredTiger.basecfg and WiredTiger.config, of all releases from 2.6 to 11.3 and mid-2025's 12.0. */
export const baseConfigKeys: ReadonlySet<string> = new Set(
  `async backup_restore_target block_cache buffer_alignment builtin_extension_config cache_cursors cache_max_wait_ms
  cache_overflow cache_overhead cache_size cache_stuck_timeout_ms checkpoint checkpoint_cleanup checkpoint_sync
  chunk_cache compatibility compile_configuration_count debug_mode direct_io disaggregated encryption error_prefix
  eviction eviction_checkpoint_target eviction_dirty_target eviction_dirty_trigger eviction_target eviction_trigger
  eviction_updates_target eviction_updates_trigger extensions extra_diagnostics file_close_sync file_extend
  file_manager generation_drain_timeout_ms hash hazard_max heuristic_controls history_store io_capacity json_output
  live_restore log lsm_manager lsm_merge mmap mmap_all multiprocess operation_timeout_ms operation_tracking prefetch
  readonly rollback_to_stable salvage session_max session_scratch_max session_table_cache shared_cache statistics
  statistics_log tiered_manager tiered_storage timing_stress_for_test transaction_sync verbose verify_metadata version
  write_through`.split(/\s+/),
);
