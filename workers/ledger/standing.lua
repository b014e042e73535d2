#!lua flags=no-writes
-- How the limits of some scopes stand. ARGV: their words (reserve.lua). Returns scope, name, limit, used, what of it is held for
-- jobs under way, and the ms until nothing of it is used (0 where nobody knows), for each limit there is.
local told = {}
for _, scope in ipairs(open_scopes(ARGV[1])) do
  for i, name in ipairs(LIMITS) do
    if scope.limits[i] then
      local used, _, reset = measure(scope, i, NOTHING)
      local words = { scope.name, name, scope.limits[i], math.ceil(used - 1e-6), held_of(scope, i), math.ceil(reset) }
      for _, word in ipairs(words) do told[#told + 1] = word end
    end
  end
end
return told
