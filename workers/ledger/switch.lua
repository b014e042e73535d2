#!lua flags=allow-oom
-- The operator's hand on one breaker. ARGV: name, state ('forced_open', 'forced_closed', or 'closed' to let it decide
-- again, from nothing). Returns what changed: name, from, to.
local name, to = ARGV[1], ARGV[2]
local b = parse_breaker(redis.call('HGET', BREAKERS, name))
if b.state ~= to then
  change_breaker(name, b, to)
  write_breaker(name, b)
end
return changes
