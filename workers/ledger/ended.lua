#!lua flags=no-writes
-- How jobs ended. ARGV: ids. Returns status, http_status, answer for each; empty while it runs.
local ends = {}
for _, id in ipairs(ARGV) do
  local job = redis.call('HMGET', job_key(id), 'status', 'http_status', 'answer')
  for i = 1, 3 do ends[#ends + 1] = job[i] or '' end
end
return ends
