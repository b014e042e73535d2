-- Records that are removed before their time leave what they have used in the account `usage_gone:TENANT:DAY`, whose fields are
-- those of `usage_by`: so counters can be compared with records at any time. Rendered after usage.lua.

local GONE_TTL_S = RETENTION_S + 2 * 86400
local leaving, moved = {}, {}

-- Notes what a job has used whose record is about to go; `close_accounts` adds it.
local function take_leave(id)
  local tenant, used = unpack(redis.call('HMGET', job_key(id), 'tenant', 'used'))
  if not used then return end
  moved[#moved + 1] = id .. ' ' .. tenant .. ' ' .. used
  for day, series, words in string.gmatch(used, '(%S+) (%S+ %S+) %d+ ([%d ]+);') do
    local account = P .. 'usage_gone:' .. tenant .. ':' .. day
    local sums = leaving[account] or {}
    local sum = sums[series] or { 0, 0, 0, 0, 0, 0, 0, 0 }
    local i = 1
    for amount in string.gmatch(words, '%d+') do
      sum[i], i = sum[i] + amount, i + 1
    end
    leaving[account], sums[series] = sums, sum
  end
end

-- In the step in which the records go. A reconciliation that is under way is told which they were.
local function close_accounts()
  for account, sums in pairs(leaving) do
    for series, sum in pairs(sums) do add_figures(account, series, redis.call('HGET', account, series), sum) end
    redis.call('EXPIRE', account, GONE_TTL_S)
  end
  if #moved > 0 and redis.call('EXISTS', P .. 'usage_watch') == 1 then
    for _, told in ipairs(moved) do redis.call('RPUSH', P .. 'usage_moved', told) end
    redis.call('EXPIRE', P .. 'usage_moved', 600)
  end
end
