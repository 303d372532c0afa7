-- Sets the authorization of the next access token of each of a user's sessions.
--
-- KEYS[1]  the user's hash; open.lua documents its fields
-- ARGV[1]  authorization: "<ver> <role> <role> ... <mac>"
-- ARGV[2]  the authorization to replace whatever its version is, because it was not made by this
--          service, or ''
--
-- reply    the authorization that is in force now: that of the argument, or the one that the hash
--          has if its version is not lower; '' if there is no hash
local function version(authorization)
  return tonumber(string.match(authorization, '^%d+') or 0)
end

local known = redis.call('HGET', KEYS[1], 'u')
if not known then return '' end
if known ~= ARGV[2] and version(known) >= version(ARGV[1]) then return known end
redis.call('HSET', KEYS[1], 'u', ARGV[1])
return ARGV[1]
