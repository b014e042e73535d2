#!lua
-- What jobs have used, as their records say. ARGV: the comparison's token, its lease in ms, ids of jobs. Returns tenant and `used` of
-- each ('' where there is no record), or false when the comparison has lost its turn.
local watch = P .. 'usage_watch'
if redis.call('GET', watch) ~= ARGV[1] then return false end
redis.call('PEXPIRE', watch, ARGV[2])
redis.call('PEXPIRE', P .. 'usage_moved', 10 * ARGV[2])
local found = {}
for i = 3, #ARGV do
  local job = redis.call('HMGET', job_key(ARGV[i]), 'tenant', 'used')
  found[#found + 1] = job[1] or ''
  found[#found + 1] = job[2] or ''
end
return found
