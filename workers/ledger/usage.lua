-- What a tenant has used, by day. Rendered after shared.lua.

local USED = { 'prompt_tokens', 'completion_tokens', 'cached_tokens', 'reasoning_tokens', 'cost_microusd' }

-- Adds ARGV[first...], in the order of USED, to the tenant's day; `answers` is 1 where a request was answered.
local function add_usage(id, day, answers, first)
  local usage = P .. 'usage:' .. redis.call('HGET', job_key(id), 'tenant') .. ':' .. day
  local changed = answers > 0
  if changed then redis.call('HINCRBY', usage, 'requests', answers) end
  for i, name in ipairs(USED) do
    local amount = ARGV[first + i - 1]
    if amount ~= '0' then
      redis.call('HINCRBY', usage, name, amount)
      changed = true
    end
  end
  if changed then redis.call('EXPIRE', usage, USAGE_TTL_S) end
end
