#!lua flags=allow-oom
-- Extends the leases of all jobs one process runs. ARGV: id, epoch, id, epoch, ...
-- Returns the ids that are no longer its own (cancelled, expired or taken over).
local lost = {}
for i = 1, #ARGV, 2 do
  if holds(ARGV[i], ARGV[i + 1]) then
    redis.call('ZADD', SCHEDULE, 'XX', now + LEASE_MS, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
