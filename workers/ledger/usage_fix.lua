#!lua flags=allow-oom
-- Corrects a tenant's day by differences, so that what was added meanwhile stays. ARGV: tenant, day, the difference of each total (the
-- names of SUMMED), then series, its eight differences, ... Returns 1.
local tenant, day = ARGV[1], ARGV[2]
local by, totals, i = P .. 'usage_by:' .. tenant .. ':' .. day, P .. 'usage:' .. tenant .. ':' .. day, 3
for _, name in ipairs(SUMMED) do
  if name then
    if ARGV[i] ~= '0' then redis.call('HINCRBY', totals, name, ARGV[i]) end
    i = i + 1
  end
end
while i <= #ARGV do
  add_figures(by, ARGV[i], redis.call('HGET', by, ARGV[i]), { unpack(ARGV, i + 1, i + 8) })
  i = i + 9
end
redis.call('HSETNX', by, 'retention', RETENTION_S)
redis.call('SADD', P .. 'usage_tenants:' .. day, tenant)
for _, key in ipairs({ by, totals, P .. 'usage_tenants:' .. day }) do redis.call('EXPIRE', key, USAGE_TTL_S) end
return 1
