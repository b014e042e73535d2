-- What tenants have used, by day in UTC. Rendered after shared.lua, in the scripts that end jobs, take them from runs or remove them.
-- `usage:TENANT:DAY` has the totals. `usage_by:TENANT:DAY` has a field for each series, "KEY PROVIDER/MODEL" ('-' where one is
-- not known), with the sums of eight figures: jobs completed, failed and cancelled, then the tokens and the cost of SUMMED; its field
-- `retention` is the shortest time for which records of that day are kept.
-- A job's field `used` has what it has added, "DAY KEY PROVIDER/MODEL TIME eight figures;" for each entry, TIME in µs: who reads the
-- counters at a time knows which entries they hold (reconciliation.py).

local SUMMED = { 'requests', false, false, 'prompt_tokens', 'completion_tokens', 'cached_tokens', 'reasoning_tokens',
  'cost_microusd' }
local FIGURES = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
local PLACE_OF_END = { completed = 1, failed = 2, expired = 2, cancelled = 3 }
-- Of a tenant and day. Further deployments are counted as their account's "*".
local MAX_SERIES = 1000

-- civil_from_days of http://howardhinnant.github.io/date_algorithms.html, with years that begin in March.
local function today()
  local z = math.floor(now / 86400000) + 719468
  local era = math.floor(z / 146097)
  local of_era = z - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  local day = of_year - math.floor((153 * month + 2) / 5) + 1
  if month < 10 then month = month + 3 else month, year = month - 9, year + 1 end
  return string.format('%04d-%02d-%02d', era * 400 + year, month, day)
end

-- Adds figures to those of a series as they are kept; what cannot be read counts as nothing.
local function add_figures(account, series, kept, f)
  local a, b, c, d, e, g, h, i = string.match(kept or '', FIGURES)
  if not a then a, b, c, d, e, g, h, i = 0, 0, 0, 0, 0, 0, 0, 0 end
  redis.call('HSET', account, series, string.format('%d %d %d %d %d %d %d %d', a + f[1], b + f[2], c + f[3], d + f[4],
    e + f[5], g + f[6], h + f[7], i + f[8]))
end

-- Adds to a series of the tenant's day; returns the name under which it is kept.
local function add_series(tenant, day, access, deployment, figures)
  local by, series = P .. 'usage_by:' .. tenant .. ':' .. day, access .. ' ' .. deployment
  local kept = redis.call('HMGET', by, series, 'retention')
  local fresh = not kept[1]
  if fresh then
    local many = redis.call('HLEN', by)
    if many > MAX_SERIES then
      series = many > 2 * MAX_SERIES and '- */*' or access .. ' ' .. account_of(deployment) .. '/*'
      kept[1] = redis.call('HGET', by, series)
    end
  end
  add_figures(by, series, kept[1], figures)
  if RETENTION_S < tonumber(kept[2] or RETENTION_S + 1) then redis.call('HSET', by, 'retention', RETENTION_S) end
  if fresh then
    redis.call('EXPIRE', by, USAGE_TTL_S)
    redis.call('SADD', P .. 'usage_tenants:' .. day, tenant)
    redis.call('EXPIRE', P .. 'usage_tenants:' .. day, USAGE_TTL_S)
  end
  return series
end

local function add_totals(tenant, day, figures)
  local totals, fresh = P .. 'usage:' .. tenant .. ':' .. day, false
  for i, name in ipairs(SUMMED) do
    local amount = figures[i]
    if name and amount ~= 0 and redis.call('HINCRBY', totals, name, amount) == amount then fresh = true end
  end
  if fresh then redis.call('EXPIRE', totals, USAGE_TTL_S) end
end

local function has_any(figures)
  for i = 1, 8 do
    if figures[i] ~= 0 then return true end
  end
  return false
end

-- Adds figures to the tenant's day; returns the entry for the record, '' where there is nothing to add.
local function enter(tenant, access, deployment, day, figures)
  if not has_any(figures) then return '' end
  local series = add_series(tenant, day, access or '-', deployment or '-', figures)
  return string.format('%s %s %s%06d %d %d %d %d %d %d %d %d;', day, series, clock[1], clock[2], unpack(figures))
end

-- What of the figures was used at a second deployment, which a run called beside its own: "PROVIDER/MODEL answered five figures".
local function split_off(figures, second)
  local name, answered, words = string.match(second, '^(%S+) (%d) (.+)$')
  local other, i = { 0, 0, 0 }, 4
  for amount in string.gmatch(words, '%d+') do
    other[i], figures[i], i = tonumber(amount), figures[i] - amount, i + 1
  end
  if answered == '1' then other[1], figures[1] = figures[1], 0 end
  return name, other
end

-- `access` and `deployment` are the job's; `status`: how it ended, nil where it goes on; `spent`: tokens and cost in the order of
-- SUMMED, nil where nothing was used; `second`: as split_off takes it, '' for none. Returns what the job's `used` gains.
add_usage = function(tenant, access, deployment, status, spent, second)
  local figures, day, entries = { 0, 0, 0, 0, 0, 0, 0, 0 }, today(), ''
  if status then figures[PLACE_OF_END[status]] = 1 end
  if spent then
    for i = 1, 5 do figures[3 + i] = tonumber(spent[i]) end
  end
  add_totals(tenant, day, figures)
  if second and second ~= '' then
    local name, other = split_off(figures, second)
    entries = enter(tenant, access, name, day, other)
  end
  return entries .. enter(tenant, access, deployment, day, figures)
end

-- Adds what a run has used that did not end its job.
local function add_spent(id, spent)
  local job = redis.call('HMGET', job_key(id), 'tenant', 'key', 'deployment', 'used')
  local entries = add_usage(job[1], job[2], job[3], nil, spent)
  if entries ~= '' then redis.call('HSET', job_key(id), 'used', (job[4] or '') .. entries) end
end
