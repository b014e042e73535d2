#!lua flags=allow-oom
-- Records a check of a provider account and when the next one is due, and tells the account's open breakers.
-- The hash of checks holds "status at_ms latency_ms failures error" (read by routing/check.py); failures are in a row.
-- ARGV: account, status ('ok', 'failed' or 'misconfigured'), latency in ms, error ('' for none), ms until the next
-- check, the key of the account's turn, breaker settings. Returns the status of the check before ('' for none).
local account, status, latency_ms, error, next_ms, turn, settings = unpack(ARGV)
local before, failures = string.match(redis.call('HGET', CHECKS, account) or '', '^(%a+) %d+ %S+ (%d+) ')
failures = status == 'ok' and 0 or tonumber(failures or 0) + 1
redis.call('HSET', CHECKS, account, string.format('%s %d %s %d %s', status, now, latency_ms, failures, error))
redis.call('SET', turn, '1', 'PX', next_ms)
-- Waiting mends no configuration.
if status ~= 'misconfigured' then
  apply_check(account, status == 'ok', tonumber(next_ms), breaker_settings(settings))
end
return before or ''
