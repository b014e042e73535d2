#!lua flags=no-writes
-- The accounts of a tenant's day, all of one moment, for whoever compares them with the records. ARGV: tenant, day.
-- Returns the time in µs, how many records were removed since the comparison began, and as flat lists the hashes of the series, of
-- what removed records had used, and of the totals.
local name = ARGV[1] .. ':' .. ARGV[2]
return { tonumber(clock[1]) * 1000000 + clock[2], redis.call('LLEN', P .. 'usage_moved'), redis.call('HGETALL', P .. 'usage_by:' .. name),
  redis.call('HGETALL', P .. 'usage_gone:' .. name), redis.call('HGETALL', P .. 'usage:' .. name) }
